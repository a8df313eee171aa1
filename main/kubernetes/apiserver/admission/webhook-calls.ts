// The calls of webhooks that one request needs: writes are made at one go, so a write that needs an answer is given up,
// the webhook is asked, and the write is tried again with the answer at hand.
import type { Random } from '../../../simulation/index.ts';
import type { ReviewedRequest, Webhook, WebhookAnswer } from './webhook-types.ts';

/** A webhook that has to be asked about a request. */
export interface WebhookCall {
  readonly webhook: Webhook;
  readonly isMutating: boolean;
  readonly request: ReviewedRequest;
  /** Equal for calls whose answer may be shared. */
  readonly key: string;
}

/** Thrown by admission where answers are missing; nothing has been written then. */
export class WebhooksNeeded extends Error {
  readonly calls: readonly WebhookCall[];

  constructor(calls: readonly WebhookCall[]) {
    super(`webhooks to be called: ${calls.map(({ webhook }) => webhook.name).join(', ')}`);
    this.calls = calls;
  }
}

/** What the tries of one request share: the answers so far, and what must not differ between tries. */
export class WebhookCalls {
  /** When the request came, in virtual ms; all its tries are of that moment. */
  readonly startMs: number;
  private readonly answers = new Map<string, WebhookAnswer>();
  private uid: string | undefined;
  private readonly names = new Map<string, string>();

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /** The uid of the object that the request creates. */
  uidFrom(random: Random): string {
    this.uid ??= random.uuid();
    return this.uid;
  }

  /** The name made from a prefix. */
  nameFrom(prefix: string, make: () => string): string {
    const known = this.names.get(prefix) ?? make();
    this.names.set(prefix, known);
    return known;
  }

  answerTo({ key }: WebhookCall): WebhookAnswer | undefined {
    return this.answers.get(key);
  }

  note({ key }: WebhookCall, answer: WebhookAnswer): void {
    this.answers.set(key, answer);
  }
}

/** The call of a webhook of a configuration about a request. */
export function webhookCall(
  configuration: string,
  webhook: Webhook,
  isMutating: boolean,
  request: ReviewedRequest,
): WebhookCall {
  return {
    webhook,
    isMutating,
    request,
    key: JSON.stringify([isMutating, configuration, webhook.name, request]),
  };
}
