// CustomResourceDefinition as the server reads it.
import type { StoredObject } from '../object.ts';
import type { JsonSchema } from './schema.ts';

export interface Names {
  plural: string;
  singular?: string;
  shortNames?: string[];
  kind: string;
  listKind?: string;
  categories?: string[];
}

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

export interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: { readonly status?: object; readonly scale?: ScalePaths };
  readonly additionalPrinterColumns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  lastTransitionTime?: string | null;
  reason?: string;
  message?: string;
}

export interface DefinitionSpec {
  group: string;
  names: Names;
  scope: string;
  versions: readonly DefinitionVersion[];
  conversion?: {
    strategy: string;
    webhook?: { clientConfig?: object; conversionReviewVersions?: string[] };
  };
  preserveUnknownFields?: boolean;
}

export interface DefinitionStatus {
  conditions?: Condition[] | null;
  acceptedNames?: Partial<Names>;
  storedVersions?: string[] | null;
}

export type Definition = StoredObject & { readonly spec: DefinitionSpec; readonly status?: DefinitionStatus };

/** What holds a definition until its instances are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function conditionOf(definition: Definition, type: string): Condition | undefined {
  return definition.status?.conditions?.find((condition) => condition.type === type);
}
