// What describers write with: indented lines whose columns are aligned in blocks, and the pieces many of them share.
import { formatLabelSelector, labelSelectorOf, type LabelSelectorSpec } from '../../../api/index.ts';
import { alignTabs } from '../../output/tabwriter.ts';

/** Longer annotations are cut, or set on lines of their own. */
const ANNOTATION_MAX = 140;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export type StringMap = Readonly<Record<string, string>>;

/** Lines at levels of two blanks; `flush` ends the columns so far. */
export class DescribeWriter {
  private done = '';
  private pending = '';

  write(level: number, text: string): void {
    this.pending += '  '.repeat(level) + text;
  }

  flush(): void {
    this.done += alignTabs(this.pending);
    this.pending = '';
  }

  /** As it was written, tabs and all: what is shown without columns. */
  rawText(): string {
    return this.done + this.pending;
  }

  text(): string {
    this.flush();
    return this.done;
  }

  /** `Labels:` and its kin, one `key=value` a line. */
  labels(title: string, labels: StringMap | undefined, indent = ''): void {
    const keys = Object.keys(labels ?? {}).sort();
    if (keys.length === 0) this.write(0, `${indent}${title}:\t<none>\n`);
    else
      keys.forEach((key, index) =>
        this.write(0, `${index === 0 ? `${indent}${title}:` : indent}\t${key}=${labels![key]}\n`),
      );
  }

  annotations(title: string, annotations: StringMap | undefined): void {
    this.write(0, `${title}:\t`);
    const keys = Object.keys(annotations ?? {})
      .filter((key) => key !== LAST_APPLIED)
      .sort();
    if (keys.length === 0) return this.write(0, '<none>\n');
    for (const [index, key] of keys.entries()) {
      if (index > 0) this.write(0, '\t');
      const value = annotations![key]!.replace(/\n$/, '');
      if (value.length + key.length + 2 > ANNOTATION_MAX || value.includes('\n')) {
        this.write(0, `${key}:\n`);
        for (const line of value.split('\n')) this.write(0, `\t  ${shorten(line, ANNOTATION_MAX - 2)}\n`);
      } else this.write(0, `${key}: ${value}\n`);
    }
  }
}

function shorten(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text;
}

/** `Fri, 20 Nov 2026 17:39:56 +0000` (time.RFC1123Z); `<unset>` without one. */
export function timeText(time: string | undefined | null): string {
  if (time === undefined || time === null) return '<unset>';
  return new Date(time).toUTCString().replace('GMT', '+0000');
}

/** A selector in its textual form, `<none>` when it is empty, `<unset>` when absent. */
export function selectorText(selector: LabelSelectorSpec | undefined): string {
  if (selector === undefined) return '<unset>';
  return formatLabelSelector(labelSelectorOf(selector)) || '<none>';
}

/** A map as selectors and parameters show it. */
export function mapText(map: StringMap | undefined): string {
  const pairs = Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',');
}

export function boolText(value: boolean | undefined): string {
  return value === true ? 'True' : 'False';
}

/** The controller among an object's owners, as `Kind/name`. */
export function controllerOf(
  metadata:
    | { readonly ownerReferences?: readonly { controller?: boolean; kind: string; name: string }[] }
    | undefined,
): string | undefined {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  return owner === undefined ? undefined : `${owner.kind}/${owner.name}`;
}
