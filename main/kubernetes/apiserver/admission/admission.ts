// Admission: a chain of plugins that may complete an object and then may refuse it.
import type { Served } from '../catalogue.ts';
import type { WriteContext } from '../kinds/kind.ts';
import type { ApiObject, StoredObject } from '../object.ts';

/** One write on its way to storage; objects in the served version. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly served: Served;
  /** The new state, which mutating plugins may change; absent for DELETE. */
  readonly object: ApiObject | undefined;
  readonly old: StoredObject | undefined;
  readonly context: WriteContext;
}

/** Either step throws StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  mutate?(request: AdmissionRequest): void;
  validate?(request: AdmissionRequest): void;
}

export class Admission {
  private readonly plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.plugins = plugins;
  }

  mutate(request: AdmissionRequest): void {
    for (const plugin of this.plugins) plugin.mutate?.(request);
  }

  validate(request: AdmissionRequest): void {
    for (const plugin of this.plugins) plugin.validate?.(request);
  }
}
