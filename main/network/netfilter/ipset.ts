// IP sets, as ipset(8) shows them.

export type IpSetType =
  | 'hash:ip'
  | 'hash:net'
  | 'hash:ip,port'
  | 'hash:ip,port,ip'
  | 'hash:ip,port,net'
  | 'hash:net,port'
  | 'bitmap:port'
  | 'list:set';

export interface IpSetOptions {
  readonly family?: 'inet' | 'inet6';
  readonly hashSize?: number;
  readonly maxElements?: number;
  /** Default timeout in seconds. */
  readonly timeoutSeconds?: number;
  /** bitmap:port. */
  readonly range?: readonly [from: number, to: number];
  readonly counters?: boolean;
  readonly comment?: boolean;
}

export interface IpSetMember {
  /** As ipset prints it: `10.96.0.1,tcp:443`. */
  readonly text: string;
  readonly timeoutSeconds: number | undefined;
  readonly comment: string | undefined;
}

export interface IpSet {
  readonly name: string;
  readonly type: IpSetType;
  readonly revision: number;
  readonly options: IpSetOptions;
  /** How many rules (or list sets) use it. */
  readonly references: number;
  readonly sizeBytes: number;
  list(): IpSetMember[];
  /** `exist` ignores duplicates. Throws IpSetError. */
  add(
    member: string,
    options?: { readonly exist?: boolean; readonly timeoutSeconds?: number; readonly comment?: string },
  ): void;
  delete(member: string, options?: { readonly exist?: boolean }): void;
  test(member: string): boolean;
  flush(): void;
}

/** The message is ipset's own, after `ipset v7.17: `. */
export class IpSetError extends Error {
  readonly code: 'syntax' | 'exists' | 'missing' | 'in-use' | 'no-set' | 'full' | 'type-mismatch';
  constructor(code: IpSetError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface IpSets {
  /** In the order of creation. */
  list(): IpSet[];
  get(name: string): IpSet | undefined;
  /** Throws IpSetError. */
  create(name: string, type: IpSetType, options?: IpSetOptions & { readonly exist?: boolean }): IpSet;
  /** Throws IpSetError in-use, no-set. */
  destroy(name: string): void;
  rename(from: string, to: string): void;
  swap(from: string, to: string): void;
  /** `ipset restore`: create, add, del, flush, destroy lines. */
  restore(text: string, options?: { readonly exist?: boolean }): void;
  save(name?: string): string;
}
