// One request to the server, after parsing: who asks, for what, under which options.
import type { WebhookCalls } from '../admission/webhook-calls.ts';
import type { Served } from '../catalogue.ts';
import { API_SERVER, type UserInfo } from '../auth/user.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What a write needs to know besides the object. */
export interface WriteRequest {
  readonly served: Served;
  /** Empty for cluster-scoped resources. */
  readonly namespace: string;
  readonly user: UserInfo;
  readonly subresource: string;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  /** Whether managedFields are kept for this write; in-process writers of untracked objects do without. */
  readonly tracked: boolean;
  /** The answers of webhooks; absent for the server's own writes, which none is asked about. */
  readonly webhookCalls?: WebhookCalls;
  warn(text: string): void;
}

/** A write of the API server's own: by itself, without managedFields, with nobody to warn. */
export function ownWrite(served: Served, namespace = '', subresource = ''): WriteRequest {
  return {
    served,
    namespace,
    user: API_SERVER,
    subresource,
    dryRun: false,
    fieldManager: 'kube-apiserver',
    tracked: false,
    warn: () => undefined,
  };
}

/** metav1.DeleteOptions, checked. */
export interface DeleteRequestOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** A list as asked for. */
export interface ListRequest {
  readonly served: Served;
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}
