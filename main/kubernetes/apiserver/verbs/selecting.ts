// From selectors in a request to what storage selects by.
import { parseFieldSelector, parseLabelSelector, SelectorError } from '../../api/selector.ts';
import type { Served } from '../catalogue.ts';
import type { StoredObject } from '../object.ts';
import { badRequest } from '../refusals.ts';
import type { Selection } from '../storage/object-store.ts';

/** Groups whose field selector errors are those of the generic conversion function (they never registered their own). */
const PLAIN_CORE_MESSAGE = /^$/;

/** Parses both selectors; throws 400 with upstream's text. */
export function selectionOf(
  served: Served,
  namespace: string | undefined,
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Selection {
  try {
    const labels =
      labelSelector === undefined || labelSelector === '' ? undefined : parseLabelSelector(labelSelector);
    const requirements = parseFieldSelector(fieldSelector);
    for (const { field } of requirements) checkField(served, field);
    const matches =
      requirements.length === 0
        ? undefined
        : (object: StoredObject): boolean =>
            requirements.every(
              ({ field, operator, value }) =>
                (readField(served, object, field) === value) === (operator === '='),
            );
    return {
      namespace,
      labels: labels === undefined || labels.requirements.length === 0 ? undefined : labels,
      equals: requirements.filter(({ operator }) => operator === '='),
      matches,
    };
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

/** The one name that a list is restricted to, for which it is authorized; empty if there is none. */
export function nameSelected(fieldSelector: string | undefined): string {
  if (fieldSelector === undefined) return '';
  try {
    const named = parseFieldSelector(fieldSelector).find(
      ({ field, operator }) => field === 'metadata.name' && operator === '=',
    );
    return named?.value ?? '';
  } catch (error) {
    if (error instanceof SelectorError) return ''; // Refused later, with its own message.
    throw error;
  }
}

function checkField({ resource, kind }: Served, field: string): void {
  if (field === 'metadata.name' || field === 'metadata.namespace' || Object.hasOwn(kind.fields, field))
    return;
  if (
    PLAIN_CORE_MESSAGE.test(resource.group) &&
    Object.keys(kind.fields).length === 0 &&
    !LEGACY_GENERIC.has(resource.plural)
  ) {
    throw badRequest(`field label not supported: ${field}`);
  }
  if (kind.custom !== undefined || Object.keys(kind.fields).length > 0)
    throw badRequest(`field label not supported: ${field}`);
  throw badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

/** Core kinds without a conversion function of their own. */
const LEGACY_GENERIC = new Set([
  'configmaps',
  'endpoints',
  'limitranges',
  'persistentvolumeclaims',
  'persistentvolumes',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
]);

function readField({ kind }: Served, object: StoredObject, field: string): string {
  if (field === 'metadata.name') return object.metadata.name;
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  return kind.fields[field]!(object);
}
