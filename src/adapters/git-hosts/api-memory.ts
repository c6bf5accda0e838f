const MAX_ENTRIES = 2_000;
/** Of texts; a listing of 20,000 files has 4 MB. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** An answer as it came. */
export interface Remembered {
  text: string;
  headers: Readonly<Record<string, string>>;
  /** What the host calls this version of it. */
  etag: string | undefined;
}

/** Answers of a host that need not be sent again, the least used ones forgotten first. */
export interface ApiMemory {
  find(key: string): Remembered | undefined;
  keep(key: string, answer: Remembered): void;
}

export function createApiMemory(): ApiMemory {
  const kept = new Map<string, Remembered>();
  let characters = 0;

  function forget(key: string): void {
    characters -= kept.get(key)?.text.length ?? 0;
    kept.delete(key);
  }

  return {
    find(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found;
    },
    keep(key, answer) {
      forget(key);
      if (answer.text.length > MAX_CHARACTERS / 4) return;
      kept.set(key, answer);
      characters += answer.text.length;
      for (const [oldest] of kept) {
        if (kept.size <= MAX_ENTRIES && characters <= MAX_CHARACTERS) break;
        forget(oldest);
      }
    },
  };
}
