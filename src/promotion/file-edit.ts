/** One file of a promotion, as it shall be on the target's branch. Paths are inside the repository. */
export type FileEdit =
  | { kind: 'write'; path: string; content: string }
  | { kind: 'delete'; path: string }
  /** As another commit has it: also what is no text, and with its mode. */
  | { kind: 'copy'; path: string; from: { sha: string; path: string } };

/** An entry of a commit's tree. */
export interface TreeFile {
  path: string;
  /** Git's name of its content: two files with the same one are equal. */
  blob: string;
  mode: '100644' | '100755' | '120000' | '160000';
}
