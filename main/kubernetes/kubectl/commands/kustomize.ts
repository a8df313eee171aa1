// kubectl kustomize: prints what a folder with a kustomization builds.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { toYaml } from '../output/yaml.ts';
import { buildKustomization } from '../rest/kustomization/build.ts';

export const kustomize: Command = { name: 'kustomize', run: runKustomize };

async function runKustomize({ kubectl, flags, args, proc }: Invocation): Promise<number> {
  if (args.length > 1) throw new CommandError('specify one path to kustomization.yaml');
  const objects = await buildKustomization(kubectl, args[0] ?? '.');
  const text = objects.map((object) => toYaml(object)).join('---\n');
  const output = flags.string('output');
  if (output === '') await kubectl.out(text);
  else proc.fs.writeFile(output, text);
  return 0;
}
