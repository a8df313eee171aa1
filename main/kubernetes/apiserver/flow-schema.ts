// What a FlowSchema says, as far as requests are classified by it (flowcontrol.apiserver.k8s.io/v1).

export type FlowSubject =
  | { readonly kind: 'Group'; readonly group: { readonly name: string } }
  | { readonly kind: 'User'; readonly user: { readonly name: string } }
  | {
      readonly kind: 'ServiceAccount';
      readonly serviceAccount: { readonly namespace: string; readonly name: string };
    };

export interface FlowResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[];
}

export interface FlowNonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** Who asks, and for what; one of each must match. */
export interface FlowRules {
  readonly subjects: readonly FlowSubject[];
  readonly resourceRules?: readonly FlowResourceRule[];
  readonly nonResourceRules?: readonly FlowNonResourceRule[];
}

export interface FlowSpec {
  readonly priorityLevelConfiguration: { readonly name: string };
  readonly matchingPrecedence?: number;
  readonly rules?: readonly FlowRules[];
}
