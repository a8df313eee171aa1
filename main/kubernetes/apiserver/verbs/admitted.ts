// Writes that webhooks may have a say in: tried, given up where a webhook must be asked first, and tried again.
import { WebhookCalls, WebhooksNeeded } from '../admission/webhook-calls.ts';
import { callWebhook } from '../admission/webhook-client.ts';
import type { ServerCore } from '../core.ts';
import { cloneTree, type ApiObject } from '../object.ts';
import { internalError } from '../refusals.ts';
import type { WriteRequest } from './request.ts';

/** More tries than a request can need in earnest: an object that is always new keeps its webhooks busy for ever. */
const TRIES_MAX = 100;

/**
 * One write. It gets the request as it must be made, and a function that gives it an object of the request to
 * keep and change.
 */
type Write<T> = (write: WriteRequest, own: (object: ApiObject) => ApiObject) => T;

/**
 * Makes a write, asking webhooks as admission finds that they must be. The write is made against what is stored
 * when the last answer has come. Rejects with what the write throws.
 */
export async function admitted<T>(core: ServerCore, write: WriteRequest, make: Write<T>): Promise<T> {
  if (core.webhookTables.every(({ size }) => size === 0)) return make(write, (object) => object);
  const webhookCalls = new WebhookCalls(core.clock.now());
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const warnings: string[] = [];
    try {
      const made = make({ ...write, webhookCalls, warn: (text) => void warnings.push(text) }, cloneTree);
      for (const text of warnings) write.warn(text);
      return made;
    } catch (error) {
      if (!(error instanceof WebhooksNeeded)) {
        for (const text of warnings) write.warn(text);
        throw error;
      }
      await Promise.all(
        error.calls.map(async (call) =>
          webhookCalls.note(call, await callWebhook(core, call, core.webhookIds.uuid())),
        ),
      );
    }
  }
  throw internalError('the object changed each time before its webhooks had answered');
}
