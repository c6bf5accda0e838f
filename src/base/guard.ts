/**
 * Asked synchronously right before an outside effect: throws an AdapterError `cancelled` when the
 * lease under which we act has ended. A process that was frozen past its lease wakes up in the middle
 * of a line of code; without this it would do a second time what its successor has done already.
 */
export type Guard = () => void;
