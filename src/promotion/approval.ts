/** What the reviews of a pull request, or decisions taken with us, come to. */
export interface ApprovalJudgement {
  verdict: 'approved' | 'rejected' | 'waiting';
  /** Whose approvals count, by the name that people know them by. */
  approvers: string[];
  rejection?: { by: string; reason: string };
  /** At most 90 characters: what there is and what is missing. */
  sentence: string;
  /** Reviews that do not count, and why not. */
  ignored: { by: string; why: string }[];
}
