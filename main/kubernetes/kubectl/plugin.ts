// Plugins: `kubectl foo bar` runs kubectl-foo-bar or kubectl-foo of the PATH, if kubectl has no such command itself.
import type { Process } from '../../linux/kernel/index.ts';
import type { Command } from './frame/command.ts';

/** The program that the command line means, and its arguments; the longest name wins. */
export function findPlugin(
  { argv, env, fs }: Process,
  root: Command,
): { path: string; argv: string[] } | undefined {
  const args = argv.slice(1);
  const [first] = args;
  const isOwn = ({ name, aliases = [] }: Command): boolean => name === first || aliases.includes(first!);
  const isBuiltIn = first === 'help' || (first?.startsWith('__') ?? false);
  if (first === undefined || first.startsWith('-') || isBuiltIn || root.commands?.some(isOwn) === true)
    return undefined;
  const flag = args.findIndex((arg) => arg.startsWith('-'));
  const words = (flag === -1 ? args : args.slice(0, flag)).map((word) => word.replaceAll('-', '_'));
  const folders = (env.get('PATH') ?? '').split(':').filter((folder) => folder !== '');
  for (let count = words.length; count > 0; count--) {
    const name = `kubectl-${words.slice(0, count).join('-')}`;
    if (name.includes('/')) continue;
    const path = folders.map((folder) => `${folder}/${name}`).find((each) => fs.exists(each));
    if (path !== undefined) return { path, argv: [path, ...args.slice(count)] };
  }
  return undefined;
}
