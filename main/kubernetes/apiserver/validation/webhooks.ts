// Configurations of admission webhooks (pkg/apis/admissionregistration/validation).
import type { LabelSelectorSpec } from '../../api/selector.ts';
import { subdomainProblems } from '../kinds/names.ts';
import { required } from '../refusals.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { validator, type Validator } from './validator.ts';

export interface AdmissionRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

interface ServiceReference {
  readonly name?: string;
  readonly namespace?: string;
  readonly path?: string;
  readonly port?: number;
}

interface Webhook {
  readonly name?: string;
  readonly rules?: readonly AdmissionRule[];
  readonly admissionReviewVersions?: readonly string[];
  readonly sideEffects?: string;
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly reinvocationPolicy?: string;
  readonly timeoutSeconds?: number;
  readonly namespaceSelector?: LabelSelectorSpec;
  readonly objectSelector?: LabelSelectorSpec;
  readonly clientConfig?: { readonly url?: string; readonly service?: ServiceReference };
}

interface Configuration {
  readonly webhooks?: readonly Webhook[];
}

const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES = ['*', 'Cluster', 'Namespaced'];
const URL_FORMAT = 'desired format: https://host[/path]';

function checkConfiguration(faults: Faults, { webhooks }: Configuration): void {
  const names = new Set<string>();
  for (const [index, webhook] of (webhooks ?? []).entries()) {
    const at = `webhooks[${index}]`;
    checkWebhook(faults, at, webhook);
    checkVersions(faults, `${at}.admissionReviewVersions`, webhook.admissionReviewVersions ?? []);
    const { name = '' } = webhook;
    if (name !== '' && names.has(name)) faults.duplicate(`${at}.name`, name);
    names.add(name);
  }
}

function checkWebhook(faults: Faults, at: string, webhook: Webhook): void {
  const { name = '', sideEffects, timeoutSeconds, clientConfig } = webhook;
  checkQualifiedName(faults, `${at}.name`, name);
  for (const [index, rule] of (webhook.rules ?? []).entries())
    checkRule(faults, `${at}.rules[${index}]`, rule);
  faults.word(`${at}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']);
  faults.word(`${at}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']);
  if ((sideEffects ?? '') === '')
    faults.add(required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
  else faults.word(`${at}.sideEffects`, sideEffects, ['None', 'NoneOnDryRun']);
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30))
    faults.invalid(
      `${at}.timeoutSeconds`,
      timeoutSeconds,
      'the timeout value must be between 1 and 30 seconds',
    );
  checkLabelSelector(faults, `${at}.namespaceSelector`, webhook.namespaceSelector);
  checkLabelSelector(faults, `${at}.objectSelector`, webhook.objectSelector);
  faults.word(`${at}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']);
  const { url, service } = clientConfig ?? {};
  if ((url === undefined) === (service === undefined))
    faults.add(required(`${at}.clientConfig`, 'exactly one of url or service is required'));
  else if (url !== undefined) checkUrl(faults, `${at}.clientConfig.url`, url);
  else checkService(faults, `${at}.clientConfig.service`, service!);
}

function checkQualifiedName(faults: Faults, field: string, name: string): void {
  if (!faults.required(field, name)) return;
  const problems = subdomainProblems(name);
  faults.problems(field, name, problems);
  if (problems.length === 0 && name.split('.').length < 3)
    faults.invalid(field, name, 'should be a domain with at least three segments separated by dots');
}

function checkVersions(faults: Faults, field: string, versions: readonly string[]): void {
  if (versions.length === 0) {
    faults.add(required(field, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
    return;
  }
  for (const [index, version] of versions.entries())
    if (versions.indexOf(version) < index) faults.duplicate(`${field}[${index}]`, version);
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    faults.invalid(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`);
}

/** A list in which `*` stands alone. */
function checkStarred(faults: Faults, field: string, values: readonly string[], others: string): void {
  if (values.length === 0) faults.add(required(field));
  for (const [index, value] of values.entries())
    if (value === '' && others !== 'API groups') faults.add(required(`${field}[${index}]`));
  if (values.length > 1 && values.includes('*'))
    faults.invalid(field, values, `if '*' is present, must not specify other ${others}`);
}

/** One rule of a webhook or a policy. */
export function checkRule(faults: Faults, at: string, rule: AdmissionRule): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  checkStarred(faults, `${at}.apiGroups`, apiGroups, 'API groups');
  checkStarred(faults, `${at}.apiVersions`, apiVersions, 'API versions');
  checkResources(faults, `${at}.resources`, resources);
  faults.word(`${at}.scope`, scope, SCOPES);
  checkStarred(faults, `${at}.operations`, operations, 'operations');
  for (const [index, operation] of operations.entries())
    faults.word(`${at}.operations[${index}]`, operation, OPERATIONS);
}

/** Resources of which one doesn't cover another. */
function checkResources(faults: Faults, field: string, resources: readonly string[]): void {
  if (resources.length === 0) faults.add(required(field));
  const everyResource = new Set<string>();
  const everySubresource = new Set<string>();
  for (const [index, resource] of resources.entries()) {
    const at = `${field}[${index}]`;
    if (resource === '') {
      faults.add(required(at));
      continue;
    }
    if (resource === '*/*' && resources.length > 1)
      faults.invalid(field, resources, "if '*/*' is present, must not specify other resources");
    if (resource === '*' && resources.some((other) => !other.includes('/') && other !== '*'))
      faults.invalid(
        field,
        resources,
        "if '*' is present, must not specify other resources without subresources",
      );
    const [name = '', subresource] = resource.split('/');
    if (subresource === undefined) continue;
    if (everySubresource.has(name))
      faults.invalid(at, resource, `if '${name}/*' is present, must not specify ${resource}`);
    if (everyResource.has(subresource))
      faults.invalid(at, resource, `if '*/${subresource}' is present, must not specify ${resource}`);
    if (subresource === '*') everySubresource.add(name);
    if (name === '*') everyResource.add(subresource);
  }
}

function checkUrl(faults: Faults, field: string, text: string): void {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    faults.add(
      required(
        field,
        `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI for request; ${URL_FORMAT}`,
      ),
    );
    return;
  }
  const scheme = url.protocol.replace(/:$/, '');
  if (scheme !== 'https')
    faults.invalid(field, scheme, `'https' is the only allowed URL scheme; ${URL_FORMAT}`);
  if (url.host === '') faults.invalid(field, url.host, `host must be specified; ${URL_FORMAT}`);
  if (url.username !== '')
    faults.invalid(field, url.username, 'user information is not permitted in the URL');
  if (url.hash !== '') faults.invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL');
  if (url.search !== '')
    faults.invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL');
}

function checkService(
  faults: Faults,
  at: string,
  { name, namespace, path, port = 443 }: ServiceReference,
): void {
  faults.required(`${at}.name`, name);
  faults.required(`${at}.namespace`, namespace);
  if (port < 1 || port > 65_535)
    faults.invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive');
  if (path === undefined) return;
  if (!path.startsWith('/')) {
    faults.invalid(`${at}.path`, path, "must start with a '/'");
    return;
  }
  for (const [index, step] of path.slice(1).split('/').entries()) {
    if (step === '' && path !== '/' && index < path.slice(1).split('/').length - 1)
      faults.invalid(`${at}.path`, path, `segment[${index}] may not be empty`);
    else if (step !== '')
      for (const problem of subdomainProblems(step))
        faults.invalid(`${at}.path`, path, `segment[${index}]: ${problem}`);
  }
}

const configuration: Validator = validator<Configuration>({ create: checkConfiguration });

export const webhookValidators: Readonly<Record<string, Validator>> = {
  validatingwebhookconfigurations: configuration,
  mutatingwebhookconfigurations: configuration,
};
