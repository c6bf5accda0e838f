/** One numbered step of the schema. What was released is never edited: add the next number. */
export interface Migration {
  id: number;
  name: string;
  sqlite: string;
  postgres: string;
}
