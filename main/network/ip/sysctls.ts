// Kernel network parameters by their dotted names, as sysctl(8) shows them.

export interface Sysctls {
  /** Every name with its value, in sysctl -a's order (by path). */
  list(): { readonly name: string; readonly value: string }[];
  /** Undefined for a name that doesn't exist. */
  get(name: string): string | undefined;
  /** Throws ENOENT for an unknown name, EINVAL for a bad value, EACCES for a read-only one. */
  set(name: string, value: string): void;
}
