import type { Finding } from '../../events/finding.ts';

/** One attempt of one browser to sign in. Each value is good for this attempt only. */
export interface SignInAttempt {
  state: string;
  nonce: string;
  /** Of PKCE: what the browser that comes back must know. */
  verifier: string;
  /** Where the provider sends the browser back to, as it is registered there. */
  redirectUri: string;
}

/** Who somebody is, in the words of the provider. */
export interface Identity {
  name: string;
  groups: string[];
  /** Their mail address, only where the provider says that it has verified it. */
  email?: string;
  issuer: string;
  /** Never somebody else's later, other than a name. */
  subject: string;
}

/** Knows who people are, so that we need no passwords. */
export interface SignInProvider {
  /** What the button says. */
  readonly name: string;
  /**
   * Where the browser goes.
   *
   * @throws {AdapterError} the provider cannot be reached, or is not what it should be
   */
  start(attempt: SignInAttempt): Promise<string>;
  /**
   * Who came back.
   *
   * @param callback the whole address that the browser came back to
   * @throws {AdapterError} `rejected`: nobody is signed in by this; otherwise the provider could not say
   */
  finish(attempt: SignInAttempt, callback: URL): Promise<Identity>;
  /** Where one signs out of the provider, too; `undefined`: it does not offer that, or cannot be reached. */
  signOutAddress(returnTo: string): Promise<string | undefined>;
  /** Whether it answers, and can do what we need. */
  diagnose(): Promise<Finding[]>;
}
