// What systemd's tools share on a terminal: colours, links and tables with underlined heads.
import type { Process } from '../../kernel/index.ts';

export const RED = '\u001b[0;1;31m';
export const GREEN = '\u001b[0;1;32m';
export const YELLOW = '\u001b[0;1;38;5;185m';
export const GREY = '\u001b[0;38;5;245m';
export const BOLD = '\u001b[0;1;39m';
export const BLUE = '\u001b[0;1;34m';
export const OFF = '\u001b[0m';

/** What --version of systemd's tools says. */
export const SYSTEMD_VERSION = `systemd 252 (252-14.el9)
+PAM +AUDIT +SELINUX -APPARMOR +IMA +SMACK +SECCOMP +GCRYPT +GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS -FIDO2 +IDN2 -IDN -IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT -QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK +XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified
`;

export class Paint {
  readonly on: boolean;
  constructor(proc: Process) {
    this.on = proc.stdout.tty !== undefined && proc.env.get('SYSTEMD_COLORS') !== '0';
  }
  color(text: string, code: string | undefined): string {
    return this.on && code !== undefined ? `${code}${text}${OFF}` : text;
  }
  link(target: string, text: string): string {
    return this.on ? `\u001b]8;;${target}\u0007${text}\u001b]8;;\u0007` : text;
  }
}

export interface Cell {
  readonly text: string;
  readonly color?: string | undefined;
}

/** Rows below an underlined head (none: without); columns as wide as their widest cell, the last row cell not padded. */
export function table(paint: Paint, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const columns = head.length > 0 ? head : (rows[0] ?? []).map(() => '');
  const widths = columns.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => Array.from(row[column]!.text).length)),
  );
  const padded = (text: string, column: number): string =>
    text + ' '.repeat(Math.max(0, widths[column]! - Array.from(text).length));
  const last = columns.length - 1;
  const title = head
    .map((text, column) => {
      const shown = `${column === 0 ? '' : ' '}${padded(text, column)}`;
      if (paint.on) return `\u001b[0m\u001b[0;4m${shown}${OFF}`;
      return column === last ? shown.trimEnd() : shown;
    })
    .join('');
  const lines = rows.map((row) =>
    row
      .map(({ text, color }, column) => {
        if (column === last) return paint.color(text, color);
        return paint.color(padded(text, column), color) + paint.color(' ', color);
      })
      .join(''),
  );
  return head.length === 0
    ? lines.map((line) => `${line}\n`).join('')
    : [title, ...lines].map((line) => `${line}\n`).join('');
}
