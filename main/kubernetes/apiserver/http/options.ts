// Query parameters of requests: parsed and checked as metav1's options are.
import { badRequest, forbiddenField, invalid, tooLong, unsupported, type FieldError } from '../refusals.ts';
import type { FieldValidation } from '../verbs/request.ts';
import { isTrue } from './request-info.ts';

const FIELD_MANAGER_BYTES_MAX = 128;

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

/** dryRun, fieldManager, fieldValidation and force. Throws 422. */
export function writeOptionsOf(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  isApply: boolean,
  userAgent: string | undefined,
): WriteOptions {
  const errors: FieldError[] = [];
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) errors.push(dryRunFault(dryRun));
  const manager = query.get('fieldManager') ?? '';
  if (isApply && manager === '') {
    errors.push({
      type: 'Required',
      field: 'fieldManager',
      body: 'Required value: is required for apply patch',
    });
  }
  const force = query.get('force');
  if (kind === 'PatchOptions' && !isApply && force !== null) {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  errors.push(...managerFaults(manager));
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    errors.push(unsupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  if (errors.length > 0) throw invalid('meta.k8s.io', kind, '', errors);
  return {
    dryRun: dryRun.includes('All'),
    fieldManager: manager === '' ? managerFromUserAgent(userAgent) : manager,
    fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation),
    force: isTrue(query, 'force'),
  };
}

/** The complaint about a dryRun other than All. */
export function dryRunFault(values: readonly string[]): FieldError {
  return unsupported('dryRun', values, ['All']);
}

function managerFaults(manager: string): FieldError[] {
  if (Buffer.byteLength(manager) > FIELD_MANAGER_BYTES_MAX)
    return [tooLong('fieldManager', FIELD_MANAGER_BYTES_MAX)];
  for (const [index, character] of [...manager].entries()) {
    const code = character.codePointAt(0)!;
    if (code >= 0x20 && code !== 0x7f) continue;
    const hex = code.toString(16).toUpperCase().padStart(4, '0');
    const shown = JSON.stringify(manager).replace(/\\u00([0-9a-f]{2})/g, '\\x$1');
    return [
      {
        type: 'Invalid',
        field: 'fieldManager',
        body: `Invalid value: ${shown}: invalid character U+${hex} (at position ${index})`,
      },
    ];
  }
  return [];
}

/** The first word of the user agent, as apiserver names a manager that didn't name itself. */
function managerFromUserAgent(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0] ?? '';
  return name === '' ? 'unknown' : name.slice(0, FIELD_MANAGER_BYTES_MAX);
}

/** An integer parameter. Throws 400 in strconv's words. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

export interface ListParameters {
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly limit: number | undefined;
  readonly continueToken: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly resourceVersionMatch: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** metav1.ListOptions. Throws 400 and 422. */
export function listParametersOf(query: URLSearchParams, isWatch: boolean): ListParameters {
  const text = (name: string): string | undefined => {
    const value = query.get(name);
    return value === null || value === '' ? undefined : value;
  };
  const parameters: ListParameters = {
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    limit: Math.max(0, integerOf(query, 'limit') ?? 0),
    continueToken: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
    bookmarks: isTrue(query, 'allowWatchBookmarks'),
    sendInitialEvents:
      query.get('sendInitialEvents') === null ? undefined : isTrue(query, 'sendInitialEvents'),
  };
  const errors = isWatch ? watchFaults(parameters) : listFaults(parameters);
  if (errors.length > 0) throw invalid('meta.k8s.io', 'ListOptions', '', errors);
  return parameters;
}

function watchFaults({
  resourceVersionMatch,
  sendInitialEvents,
  continueToken,
}: ListParameters): FieldError[] {
  // That is what upstream says of the token, whose own field it doesn't name.
  if (continueToken !== undefined)
    return [
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
    ];
  const errors: FieldError[] = [];
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch !== undefined) {
      errors.push(
        forbiddenField(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    }
    return errors;
  }
  if (resourceVersionMatch === undefined) {
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    );
  } else if (resourceVersionMatch !== 'NotOlderThan') {
    errors.push(unsupported('resourceVersionMatch', resourceVersionMatch, ['NotOlderThan']));
  }
  return errors;
}

function listFaults({
  resourceVersion,
  resourceVersionMatch,
  continueToken,
  sendInitialEvents,
}: ListParameters): FieldError[] {
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (resourceVersionMatch === undefined) return errors;
  if (continueToken !== undefined) {
    errors.push(
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
    );
  }
  if (resourceVersion === undefined) {
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden unless resourceVersion is provided',
      ),
    );
  }
  if (resourceVersionMatch !== 'Exact' && resourceVersionMatch !== 'NotOlderThan') {
    errors.push(unsupported('resourceVersionMatch', resourceVersionMatch, ['Exact', 'NotOlderThan', '']));
  } else if (resourceVersionMatch === 'Exact' && resourceVersion === '0') {
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ),
    );
  }
  return errors;
}

/** A bad value in the options of a deletion. */
export function deleteOptionsFault(errors: readonly FieldError[]): Error {
  return invalid('meta.k8s.io', 'DeleteOptions', '', errors);
}
