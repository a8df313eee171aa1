// Environment variables and references to fields, keys and resources (pkg/apis/core/validation ValidateEnv).
import { labelKeyProblems } from '../../api/selector.ts';
import type { Container, EnvVar } from '../../api/types.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';

const ENV_NAME_MESSAGE =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";

function checkEnvName(faults: Faults, field: string, name: string): void {
  if (!/^[\x20-\x3c\x3e-\x7e]+$/.test(name)) faults.invalid(field, name, ENV_NAME_MESSAGE);
}

export function checkEnv(faults: Faults, path: string, { env, envFrom }: Container): void {
  for (const [index, variable] of (env ?? []).entries()) {
    const at = `${path}.env[${index}]`;
    if (variable.name === '') faults.add(required(`${at}.name`));
    else checkEnvName(faults, `${at}.name`, variable.name);
    checkEnvSource(faults, `${at}.valueFrom`, variable);
  }
  for (const [index, source] of (envFrom ?? []).entries()) {
    const at = `${path}.envFrom[${index}]`;
    if ((source.prefix ?? '') !== '') checkEnvName(faults, `${at}.prefix`, source.prefix!);
    const kinds = (['configMapRef', 'secretRef'] as const).filter((kind) => source[kind] !== undefined);
    for (const kind of kinds) {
      const name = source[kind]?.name ?? '';
      if (faults.required(`${at}.${kind}.name`, name)) faults.subdomain(`${at}.${kind}.name`, name);
    }
    if (kinds.length === 0)
      faults.invalid(`${path}.envFrom`, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (kinds.length > 1)
      faults.invalid(`${path}.envFrom`, '', 'may not have more than one field specified at a time');
  }
}

/** What environment variables can be filled from. */
const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** What files of a volume can be filled from. */
export const VOLUME_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
/** Fields that have a name in the downward API, whether or not they may be used where they are named. */
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  'spec.host',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

interface FieldRef {
  readonly apiVersion?: string;
  readonly fieldPath?: string;
}

/** A field of the pod itself; `allowed` is sorted. */
export function checkFieldRef(
  faults: Faults,
  at: string,
  { apiVersion = '', fieldPath = '' }: FieldRef,
  allowed: readonly string[],
): void {
  if (apiVersion === '') {
    faults.add(required(`${at}.apiVersion`));
    return;
  }
  if (fieldPath === '') {
    faults.add(required(`${at}.fieldPath`));
    return;
  }
  const [, base = fieldPath, key] = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (apiVersion !== 'v1' || !KNOWN_FIELDS.has(base)) {
    const why =
      apiVersion === 'v1'
        ? `field label not supported: ${fieldPath}`
        : `unsupported pod version: ${apiVersion}`;
    faults.invalid(`${at}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`);
  } else if (key !== undefined)
    faults.problems(at, key, labelKeyProblems(base.endsWith('annotations') ? key.toLowerCase() : key));
  else if (!allowed.includes(base)) faults.unsupported(`${at}.fieldPath`, base, allowed);
}

const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((list) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${list}.${name}`),
);
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

interface ResourceRef {
  readonly containerName?: string;
  readonly resource?: string;
  readonly divisor?: string | number;
}

/** An amount of a container's resources. In a volume the container has to be named. */
export function checkResourceRef(
  faults: Faults,
  at: string,
  { containerName = '', resource = '', divisor = '0' }: ResourceRef,
  inVolume: boolean,
): void {
  const isHugePages = /^(limits|requests)\.hugepages-/.test(resource);
  if (inVolume && containerName === '') faults.add(required(`${at}.containerName`));
  else if (resource === '') faults.add(required(`${at}.resource`));
  else if (!RESOURCE_FIELDS.includes(resource) && !isHugePages)
    faults.unsupported(`${at}.resource`, resource, RESOURCE_FIELDS);
  if (String(divisor) === '0') return;
  const name = resource.replace(/^(limits|requests)\./, '');
  const allowed = name === 'cpu' ? ['1m', '1'] : BYTE_DIVISORS;
  if (allowed.includes(String(divisor))) return;
  const words = { cpu: '1m and 1', other: BYTE_DIVISORS.join(', ') };
  const what = name === 'ephemeral-storage' ? 'local ephemeral storage' : isHugePages ? 'hugepages' : name;
  if (['cpu', 'memory', 'local ephemeral storage', 'hugepages'].includes(what))
    faults.invalid(
      `${at}.divisor`,
      resource,
      `only divisor's values ${name === 'cpu' ? words.cpu : words.other} are supported with the ${what} resource`,
    );
}

function checkEnvSource(faults: Faults, at: string, { value = '', valueFrom }: EnvVar): void {
  if (valueFrom === undefined) return;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef !== undefined) checkFieldRef(faults, `${at}.fieldRef`, fieldRef, ENV_FIELDS);
  if (resourceFieldRef !== undefined)
    checkResourceRef(faults, `${at}.resourceFieldRef`, resourceFieldRef as ResourceRef, false);
  if (configMapKeyRef !== undefined) checkKeyRef(faults, `${at}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef !== undefined) checkKeyRef(faults, `${at}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef !== undefined) {
    if (faults.required(`${at}.fileKeyRef.key`, fileKeyRef.key))
      checkEnvName(faults, `${at}.fileKeyRef.key`, fileKeyRef.key);
    if (faults.required(`${at}.fileKeyRef.volumeName`, fileKeyRef.volumeName))
      faults.label(`${at}.fileKeyRef.volumeName`, fileKeyRef.volumeName);
    faults.required(`${at}.fileKeyRef.path`, fileKeyRef.path);
  }
  const kinds = Object.values(valueFrom).filter((source) => source !== undefined).length;
  if (kinds === 0)
    faults.invalid(
      at,
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    );
  else if (value !== '') faults.invalid(at, '', 'may not be specified when `value` is not empty');
  else if (kinds > 1) faults.invalid(at, '', 'may not have more than one field specified at a time');
}

function checkKeyRef(faults: Faults, at: string, { name = '', key }: { name?: string; key?: string }): void {
  faults.problems(`${at}.name`, name, subdomainProblems(name));
  if (faults.required(`${at}.key`, key)) checkConfigKey(faults, `${at}.key`, key!);
}

const CONFIG_KEY_MAX = 253;

/** Keys of ConfigMaps and Secrets. */
export function checkConfigKey(faults: Faults, field: string, key: string): void {
  if (key.length > CONFIG_KEY_MAX)
    faults.invalid(field, key, `must be no more than ${CONFIG_KEY_MAX} characters`);
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    faults.invalid(
      field,
      key,
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (key === '.' || key === '..') faults.invalid(field, key, `must not be '${key}'`);
  else if (key.startsWith('..')) faults.invalid(field, key, "must not start with '..'");
}
