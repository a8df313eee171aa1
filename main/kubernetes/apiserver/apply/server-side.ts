// Server-side apply: decode the configuration, merge it, write the result under its field manager.
import { apiVersionOf } from '../../api/meta.ts';
import { isTree, metaOf, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { badRequest, conflict, notFound, unknownError } from '../refusals.ts';
import { decodeAs, DecodeNotes } from '../schema/decode.ts';
import type { PatchRequest } from '../verbs/api.ts';
import type { WriteRequest } from '../verbs/request.ts';
import { shape } from '../verbs/shaping.ts';
import { elementText } from './field-set.ts';
import { elementKey, itemType, keyDefault, listKeys, memberType, typeServed, type Type } from './typed.ts';
import type { Writer } from '../verbs/writing.ts';

/** Applies a configuration as its field manager; creates what isn't there. */
export function applyServerSide(
  writer: Writer,
  request: PatchRequest,
): { object: StoredObject; created: boolean } {
  const { write, name, patch } = request;
  const { served, namespace } = write;
  if (patch === null) throw badRequest('invalid object type: /, Kind=');
  if (!isTree(patch)) {
    const kind = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch;
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
  }
  const configuration = checked(request, patch);
  const live = served.table.get(namespace, name);
  if (live === undefined) {
    if (write.subresource !== '') throw notFound(served.resource, name);
    const { object, managers } = writer.tracker.apply(
      served,
      undefined,
      configuration,
      write,
      request.force,
      writer.nowMs,
    );
    const made = shape(served, object as unknown as Tree).object;
    const meta = metaOf(made);
    meta.name = name;
    if ((meta.uid ?? '') !== '') {
      throw conflict(
        served.resource,
        name,
        `uid mismatch: the provided object specified uid ${meta.uid}, and no existing object was found`,
      );
    }
    delete meta.resourceVersion;
    if (managers.length > 0) meta.managedFields = managers;
    return { object: writer.create({ ...write, tracked: false }, made, name, true), created: true };
  }
  const old = served.present(live);
  const { object, managers } = writer.tracker.apply(
    served,
    old,
    configuration,
    write,
    request.force,
    writer.nowMs,
  );
  const made = shape(served, object as unknown as Tree).object;
  const result = writer.update(
    { ...write, tracked: false } as WriteRequest,
    name,
    () => {
      const meta = metaOf(made);
      delete meta.managedFields;
      if (managers.length > 0) meta.managedFields = managers;
      const asked = metaOf(configuration).resourceVersion;
      meta.resourceVersion = asked ?? old.metadata.resourceVersion;
      return made;
    },
    undefined,
    true,
  );
  return { object: result.object, created: false };
}

/** The configuration as given, types checked, nothing filled in. Throws 400 and 500 in upstream's words. */
function checked({ write, name }: PatchRequest, given: Tree): ApiObject {
  const { served, namespace } = write;
  const apiVersion = apiVersionOf(served.resource);
  const ownVersion = typeof given['apiVersion'] === 'string' ? given['apiVersion'] : '';
  const ownKind = typeof given['kind'] === 'string' ? given['kind'] : '';
  if (ownVersion !== apiVersion || ownKind !== served.resource.kind) {
    throw badRequest(
      `invalid object type: ${ownVersion.includes('/') ? ownVersion : `/${ownVersion}`}, Kind=${ownKind}`,
    );
  }
  const meta = isTree(given['metadata']) ? given['metadata'] : {};
  if (meta['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  if (typeof meta['name'] === 'string' && meta['name'] !== '' && meta['name'] !== name) {
    throw badRequest(`the name of the object (${meta['name']}) does not match the name on the URL (${name})`);
  }
  if (typeof meta['namespace'] === 'string' && meta['namespace'] !== '' && meta['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const object = { ...given, metadata: { ...meta, name } } as ApiObject;
  const type = typeServed(served);
  if (type.structure === undefined) return object;
  const problems: string[] = [];
  checkTyped(given, type, '', problems);
  if (problems.length > 0) {
    const where = typeof meta['namespace'] === 'string' ? meta['namespace'] : '';
    throw unknownError(
      `failed to create typed patch object (${where}/${name}; ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${ownKind}): ${problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`}`,
    );
  }
  return served.schemaName === undefined ? object : canonical(object, served.schemaName);
}

/** Values in their stored form (quantities, times), but only the fields that were given. */
function canonical(object: ApiObject, schemaName: string): ApiObject {
  const decoded = decodeAs(schemaName, object as unknown as Tree, new DecodeNotes());
  return onlyGiven(object, decoded) as ApiObject;
}

function onlyGiven(given: unknown, decoded: unknown): unknown {
  if (Array.isArray(given))
    return Array.isArray(decoded) ? given.map((item, index) => onlyGiven(item, decoded[index])) : given;
  if (!isTree(given))
    return given === null || decoded === undefined || isTree(decoded) || Array.isArray(decoded)
      ? given
      : decoded;
  const result: Tree = {};
  for (const [field, value] of Object.entries(given)) {
    result[field] = isTree(decoded) ? onlyGiven(value, decoded[field]) : value;
  }
  return result;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function checkTyped(value: unknown, type: Type, path: string, problems: string[]): void {
  const { structure } = type;
  if (value === null || value === undefined || structure === undefined) return;
  if (structure.any === true || structure.special !== undefined) return;
  if (structure.properties !== undefined || structure.additionalProperties !== undefined) {
    if (!isTree(value)) {
      problems.push(`${path}: expected map, got &{${shown(value)}}`);
      return;
    }
    for (const [field, member] of Object.entries(value)) {
      const isKnown = structure.properties?.[field] !== undefined;
      if (!isKnown && structure.additionalProperties === undefined)
        problems.push(`${path}.${field}: field not declared in schema`);
      else checkTyped(member, memberType(type, field), `${path}.${field}`, problems);
    }
  } else if (structure.type === 'array') {
    if (Array.isArray(value)) checkItems(value, type, path, problems);
    else problems.push(`${path}: expected list, got &{${shown(value)}}`);
  } else {
    const wanted = structure.type === 'integer' || structure.type === 'number' ? 'numeric' : structure.type;
    const found = typeof value === 'number' ? 'numeric' : typeof value;
    if (wanted !== undefined && wanted !== found)
      problems.push(
        `${path}: expected ${wanted}${wanted === 'numeric' ? ' (int or float)' : ''}, got ${wanted === 'numeric' ? found : `&value.valueUnstructured{Value:${JSON.stringify(value)}}`}`,
      );
  }
}

/** Elements of an associative list are told apart by their keys: each has them, and no two have the same. */
function checkItems(list: readonly unknown[], type: Type, path: string, problems: string[]): void {
  const keys = listKeys(type);
  const items = itemType(type);
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    let element = `[${index}]`;
    if (keys !== undefined) {
      const fault = keyFault(item, keys, items);
      if (fault !== undefined) {
        problems.push(`${path}: element ${index}: ${fault}`);
        return;
      }
      element = elementText(elementKey(item, keys, items));
      if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${element}`);
      seen.add(element);
    }
    checkTyped(item, items, path + element, problems);
  }
}

/** Why an element has no key (structured-merge-diff typed/helpers.go, listItemToPathElement). */
function keyFault(item: unknown, keys: readonly string[], items: Type): string | undefined {
  if (keys.length === 0) {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
    return isTree(item) ? "associative list without keys has an element that's a map type" : undefined;
  }
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isTree(item)) return 'associative list with keys may not have non-map elements';
  const missing = keys.find((key) => item[key] === undefined && keyDefault(items, key) === undefined);
  return missing === undefined
    ? undefined
    : `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`;
}
