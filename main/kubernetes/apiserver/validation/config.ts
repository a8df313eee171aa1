// ConfigMaps and Secrets (pkg/apis/core/validation ValidateConfigMap, ValidateSecret).
import type { ConfigMap, Secret } from '../../api/types.ts';
import { JsonError, readJson } from '../http/json-reader.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import type { Faults } from './checks.ts';
import { checkConfigKey } from './pod-env.ts';
import { both, immutable, validator, type Validator } from './validator.ts';

/** Data of one ConfigMap or Secret, in bytes. */
const DATA_BYTES_MAX = 1024 * 1024;

function checkKeys(faults: Faults, field: string, data: Readonly<Record<string, unknown>> | undefined): void {
  for (const [key] of sortedEntries(data)) checkConfigKey(faults, `${field}[${key}]`, key);
}

function checkConfigMap(faults: Faults, { data, binaryData }: ConfigMap): void {
  let sizeBytes = 0;
  for (const [key, value] of sortedEntries(data)) {
    checkConfigKey(faults, `data[${key}]`, key);
    if (binaryData?.[key] !== undefined)
      faults.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
    sizeBytes += Buffer.byteLength(value);
  }
  checkKeys(faults, 'binaryData', binaryData);
  for (const value of Object.values(binaryData ?? {})) sizeBytes += decodedBytes(value);
  if (sizeBytes > DATA_BYTES_MAX) faults.tooLong('', DATA_BYTES_MAX);
}

/** Bytes that a base64 text stands for. */
function decodedBytes(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}

const IMMUTABLE = 'field is immutable when `immutable` is set';

function checkFrozen<T extends ConfigMap | Secret>(
  faults: Faults,
  now: T,
  old: T,
  fields: readonly (keyof T & string)[],
): void {
  if (old.immutable !== true) return;
  if (now.immutable !== true) faults.forbidden('immutable', IMMUTABLE);
  for (const field of fields)
    if (!equalTrees(now[field] ?? {}, old[field] ?? {})) faults.forbidden(field, IMMUTABLE);
}

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** Keys that a Secret of a type must have. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

function checkSecret(faults: Faults, { data, type = '', metadata }: Secret): void {
  checkKeys(faults, 'data', data);
  let sizeBytes = 0;
  for (const value of Object.values(data ?? {})) sizeBytes += decodedBytes(value);
  if (sizeBytes > DATA_BYTES_MAX) faults.tooLong('data', DATA_BYTES_MAX);
  const account = metadata?.annotations?.[SERVICE_ACCOUNT_NAME] ?? '';
  if (type === 'kubernetes.io/service-account-token' && account === '')
    faults.add(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  for (const key of REQUIRED_KEYS[type] ?? []) {
    const field = `data[${key}]`;
    if (data?.[key] === undefined) {
      faults.add(required(field));
      continue;
    }
    const problem = key.startsWith('.docker')
      ? jsonProblem(Buffer.from(data[key], 'base64').toString('utf8'))
      : undefined;
    if (problem !== undefined) faults.invalid(field, '<secret contents redacted>', problem);
  }
  if (
    type === 'kubernetes.io/basic-auth' &&
    data?.['username'] === undefined &&
    data?.['password'] === undefined
  )
    faults.add(required('data[username]'), required('data[password]'));
}

/** What is wrong with a text that has to be JSON; undefined when nothing is. */
function jsonProblem(text: string): string | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof JsonError) return error.message;
    throw error;
  }
}

export const configValidators: Readonly<Record<string, Validator>> = {
  configmaps: validator<ConfigMap>({
    create: checkConfigMap,
    update: both<ConfigMap>(checkConfigMap, (faults, now, old) =>
      checkFrozen(faults, now, old, ['data', 'binaryData']),
    ),
  }),
  secrets: validator<Secret>({
    create: checkSecret,
    update: (faults, now, old) => {
      immutable(faults, 'type', now.type, old.type);
      checkFrozen(faults, now, old, ['data']);
      checkSecret(faults, now);
    },
  }),
};
