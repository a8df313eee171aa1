// kubectl create configmap.
import { CommandError } from '../../frame/command-error.ts';
import type { AnyObject } from '../../rest/builder.ts';
import { generator, metadata } from './generator.ts';
import { withContentHash } from '../../rest/content-hash.ts';
import { dataSources } from '../../rest/data-sources.ts';

export const createConfigMap = generator(
  'configmap',
  { aliases: ['cm'], failure: 'configmap' },
  (invocation, name) => {
    const data: Record<string, string> = {};
    const binaryData: Record<string, string> = {};
    for (const { key, bytes } of dataSources(invocation)) {
      if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
        throw new CommandError(
          `"${key}" is not a valid key name for a ConfigMap: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
        );
      }
      if (data[key] !== undefined || binaryData[key] !== undefined) {
        throw new CommandError(
          `cannot add key "${key}", another key by that name already exists in Data for ConfigMap "${name}"`,
        );
      }
      const text = utf8(bytes);
      if (text === undefined) binaryData[key] = Buffer.from(bytes).toString('base64');
      else data[key] = text;
    }
    const members = {
      ...(Object.keys(data).length > 0 ? { data } : {}),
      ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
    };
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(name),
      ...members,
    } as unknown as AnyObject;
    return invocation.flags.bool('append-hash') ? withContentHash(object) : object;
  },
);

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
