// Objects in the form that `-o` asks for.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import type { FlagValues } from '../frame/flags.ts';
import { CommandError } from '../frame/command-error.ts';
import { goSyntax } from './go-format.ts';
import { toJson } from './json.ts';
import { JsonPathError, parseJsonPath } from './jsonpath.ts';
import { parseGoTemplate, TemplateError } from './go-template.ts';
import { toYaml } from './yaml.ts';

/** The formats that print whole objects. */
export const OBJECT_FORMATS =
  'go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml';

/** Prints one object, or a list as one, in a format other than a table. */
export type ObjectPrinter = (object: object) => string;

/** The printer for `-o FORMAT`, or undefined if the format isn't one of whole objects. Throws CommandError in kubectl's words. */
export function objectPrinter(format: string, flags: FlagValues, proc: Process): ObjectPrinter | undefined {
  const keepManaged = flags.bool('show-managed-fields');
  const shown = (object: object): object => (keepManaged ? object : withoutManagedFields(object));
  const [name = '', ...rest] = format.split('=');
  const argument = rest.join('=') || flags.string('template');
  if (name === 'json') return (object) => toJson(shown(object));
  if (name === 'yaml') return (object) => toYaml(shown(object));
  if (name === 'jsonpath' || name === 'jsonpath-as-json' || name === 'jsonpath-file') {
    if (argument === '') throw new CommandError(`template format specified but no template given`);
    const template = name === 'jsonpath-file' ? templateAt(proc, argument) : argument;
    const path = compile(template);
    return (object) => {
      try {
        if (name !== 'jsonpath-as-json')
          return path.print(shown(object), flags.bool('allow-missing-template-keys'));
        return toJson(path.find(shown(object), flags.bool('allow-missing-template-keys')));
      } catch (error) {
        if (!(error instanceof JsonPathError)) throw error;
        throw new CommandError(
          `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(object)}\n\n\n`,
        );
      }
    };
  }
  if (
    name === 'go-template' ||
    name === 'template' ||
    name === 'go-template-file' ||
    name === 'templatefile'
  ) {
    if (argument === '') throw new CommandError('template format specified but no template given');
    const template = name.endsWith('file') ? templateAt(proc, argument) : argument;
    const run = compileTemplate(template, flags.bool('allow-missing-template-keys'));
    return (object) => {
      try {
        return run(object);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new CommandError(
          `error executing template "${template}": template: output:1: ${error.message}`,
        );
      }
    };
  }
  return undefined;
}

function templateAt({ fs }: Process, path: string): string {
  try {
    return fs.readText(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`error reading --template ${path}, open ${path}: ${error.message.toLowerCase()}`);
  }
}

function compileTemplate(template: string, allowMissing: boolean): (object: unknown) => string {
  try {
    return parseGoTemplate(template, allowMissing);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandError(`error parsing template ${template}, template: output:1: ${error.message}`);
  }
}

function compile(template: string): ReturnType<typeof parseJsonPath> {
  try {
    return parseJsonPath(template);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new CommandError(`error parsing jsonpath ${template}, ${error.message}`);
  }
}

function withoutManagedFields(object: object): object {
  const { metadata, items } = object as { metadata?: { managedFields?: unknown }; items?: object[] };
  if (Array.isArray(items)) return { ...object, items: items.map(withoutManagedFields) };
  if (metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...kept } = metadata;
  return { ...object, metadata: kept };
}
