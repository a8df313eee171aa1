// kubectl create deployment.
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';

export const createDeployment = generator(
  'deployment',
  {
    aliases: ['deploy'],
    required: ['image'],
    failure: 'deployment',
    more: true,
    flags: [{ name: 'port', kind: 'int', default: '-1' }],
  },
  ({ flags, args, dash }, name) => {
    const images = flags.list('image');
    const command = dash === -1 ? args.slice(1) : args.slice(dash);
    if (images.length > 1 && command.length > 0)
      throw new CommandError('cannot specify multiple --image options and command');
    const replicas = flags.int('replicas');
    if (replicas < 0)
      throw new CommandError(`invalid value for replicas, must be greater than or equal to 0`);
    const port = flags.int('port');
    const names = new Set<string>();
    const containers = images.map((image) => ({
      image,
      name: containerName(image, names),
      ...(port >= 0 ? { ports: [{ containerPort: port }] } : {}),
      ...(command.length > 0 ? { command } : {}),
      resources: {},
    }));
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(name, { labels: { app: name } }),
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        strategy: {},
        template: { metadata: { creationTimestamp: null, labels: { app: name } }, spec: { containers } },
      },
      status: {},
    } as unknown as AnyObject;
  },
);

/** From the last part of an image's name, without tag and digest; the same name twice gets a suffix. */
function containerName(image: string, taken: Set<string>): string {
  const base = image
    .slice(image.lastIndexOf('/') + 1)
    .replace(/[:@].*$/, '')
    .replaceAll('_', '-');
  let name = base;
  while (taken.has(name)) name = `${base}-${taken.size}`;
  taken.add(name);
  return name;
}
