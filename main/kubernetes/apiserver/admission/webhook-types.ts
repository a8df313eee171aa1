// Admission webhooks as configured (admissionregistration.k8s.io/v1), and the AdmissionReview that is sent to them.
import type { LabelSelectorSpec } from '../../api/selector.ts';
import type { StoredObject } from '../object.ts';
import type { ResourceRule } from './matching.ts';

/** One webhook of a configuration. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly url?: string;
    readonly service?: {
      readonly namespace: string;
      readonly name: string;
      readonly path?: string;
      readonly port?: number;
    };
    /** PEM, base64. */
    readonly caBundle?: string | null;
  };
  readonly rules?: readonly Omit<ResourceRule, 'resourceNames'>[];
  readonly failurePolicy?: 'Fail' | 'Ignore';
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  /** Of mutating ones. */
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded';
}

export interface WebhookConfiguration extends StoredObject {
  readonly webhooks?: readonly Webhook[];
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** AdmissionReview's request without its uid. */
export interface ReviewedRequest {
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subResource?: string;
  readonly requestKind: GroupVersionKind;
  readonly requestResource: GroupVersionResource;
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly userInfo: {
    readonly username: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly dryRun: boolean;
  readonly options: unknown;
}

/** What came of calling a webhook: its verdict, or in `failure` why there is none. */
export type WebhookAnswer =
  | {
      readonly allowed: boolean;
      /** Why it was denied. */
      readonly status?: { readonly code?: number; readonly reason?: string; readonly message?: string };
      /** JSON Patch of a mutating webhook. */
      readonly patch?: unknown;
      readonly warnings: readonly string[];
    }
  | { readonly failure: string };
