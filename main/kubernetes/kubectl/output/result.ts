// What a command says of an object it has dealt with: `deployment.apps/web created`, or the object itself with -o.
import type { Invocation } from '../frame/command.ts';
import { CommandError } from '../frame/command-error.ts';
import { dryRunSuffix, type DryRun } from '../frame/dry-run.ts';
import { qualifiedName, type AnyObject } from '../rest/builder.ts';
import type { DiscoveredResource } from '../rest/discovery.ts';
import { OBJECT_FORMATS, objectPrinter } from './printer.ts';

export type ResultPrinter = (
  resource: DiscoveredResource,
  object: AnyObject,
  operation: string,
) => Promise<void>;

/** Throws CommandError for a format that isn't one. Several YAML documents are set apart by `---`. */
export function resultPrinter({ kubectl, flags, proc }: Invocation, dryRun: DryRun = 'none'): ResultPrinter {
  const format =
    flags.string('output') === '' && flags.string('template') !== '' ? 'go-template' : flags.string('output');
  if (format === '') {
    return (resource, object, operation) =>
      kubectl.out(
        `${qualifiedName(resource, object.metadata?.name ?? '')} ${operation}${dryRunSuffix(dryRun)}\n`,
      );
  }
  if (format === 'name')
    return (resource, object) => kubectl.out(`${qualifiedName(resource, object.metadata?.name ?? '')}\n`);
  const print = objectPrinter(format, flags, proc);
  if (print === undefined) throw new CommandError(unknownFormat(format));
  let printed = 0;
  return (_resource, object) =>
    kubectl.out(`${format === 'yaml' && printed++ > 0 ? '---\n' : ''}${print(object)}`);
}

function unknownFormat(format: string): string {
  return `unable to match a printer suitable for the output format "${format}", allowed formats are: ${OBJECT_FORMATS}`;
}
