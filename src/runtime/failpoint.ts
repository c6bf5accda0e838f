/**
 * Places where a test lets the process die, by name. In production every point is a no-op: the name to
 * die at comes from main.ts, and only when the environment says so.
 */
export type Failpoint = (name: string) => void;

export const noFailpoints: Failpoint = () => {};
