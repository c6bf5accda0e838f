import Papa from 'papaparse';

/**
 * Every record of a CSV text with its number, from 1, without keeping them all: a load test writes
 * hundreds of thousands. `false` ends it early.
 *
 * @returns what is wrong with the quotes of the text, if anything
 */
export function eachRecord(
  text: string,
  delimiter: string,
  visit: (cells: string[], record: number) => boolean | undefined,
): string | undefined {
  let record = 0;
  let problem: string | undefined;
  Papa.parse<string[]>(text.startsWith('\ufeff') ? text.slice(1) : text, {
    delimiter,
    step: ({ data, errors }, parser) => {
      record++;
      const [error] = errors;
      if (error !== undefined) problem = `record ${record}: ${error.message}`;
      if (error !== undefined || visit(data, record) === false) parser.abort();
    },
  });
  return problem;
}
