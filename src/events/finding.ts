/** What is found when a connection is checked: for the page of connections and `lynceus doctor`. */
export interface Finding {
  level: 'ok' | 'warning' | 'problem';
  /** What was checked, stable for programs: `token`, `can-i applications sync`. */
  check: string;
  sentence: string;
  /** What to do about it; absent when all is well. */
  remedy?: string;
}

/** A label or annotation by its whole name, as it is written; without a value it is missing. */
export interface Written {
  name: string;
  value?: string;
}

/** An application that carries a label of ours, whatever is missing or wrong. */
export interface LabelledApplication {
  namespace: string;
  name: string;
  project: Written;
  stage: Written;
  service: Written;
  /** Where it says that it answers. */
  url: Written;
  /** As kubectl names it, to tell people what to type: `application.argoproj.io/checkout`. */
  resource: string;
}
