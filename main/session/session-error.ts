// A refusal for the person at the screen: a reason that code can decide by, and one sentence.

export type SessionErrorReason =
  | 'bad-request'
  | 'unknown-call'
  | 'not-found'
  | 'no-cluster'
  | 'no-lab'
  | 'busy'
  | 'failed';

export class SessionError extends Error {
  readonly reason: SessionErrorReason;
  constructor(reason: SessionErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
