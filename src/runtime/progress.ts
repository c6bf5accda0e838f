/** How far long tasks of this process are. Not durable: after a restart the task says it again. */
export interface ProgressBoard {
  report(task: string, fraction: number, sentence: string): void;
  read(task: string): { fraction: number; sentence: string } | undefined;
  clear(task: string): void;
}

export function createProgressBoard(): ProgressBoard {
  const board = new Map<string, { fraction: number; sentence: string }>();
  return {
    report: (task, fraction, sentence) => void board.set(task, { fraction, sentence }),
    read: (task) => board.get(task),
    clear: (task) => void board.delete(task),
  };
}
