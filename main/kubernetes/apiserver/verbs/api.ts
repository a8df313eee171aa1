// The verbs of the API on typed objects, subresources included. Both doors, in process and HTTP, come through here.
import type { Binding, Pod, Scale } from '../../api/types.ts';
import type { PatchType } from '../../client/client.ts';
import type { Status } from '../../api/status.ts';
import type { Served } from '../catalogue.ts';
import { applyServerSide } from '../apply/server-side.ts';
import { cloneTree, isTree, type ApiObject, type StoredObject, type Tree } from '../object.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMerge } from '../patch/strategic-merge.ts';
import { goValue } from '../patch/go-text.ts';
import {
  badRequest,
  conflict,
  failure,
  invalid,
  invalidValue,
  methodNotAllowed,
  noSuchResource,
  notFound,
  unknownError,
  type FieldError,
} from '../refusals.ts';
import { DecodeNotes, decodeAs } from '../schema/decode.ts';
import { LEGACY_SCHEME, schemaNameOf } from '../schema/structures.ts';
import { evict } from './eviction.ts';
import type { FieldValidation, WriteRequest } from './request.ts';
import { scaleOf, withScale } from './scale.ts';
import { shape } from './shaping.ts';
import type { Writer } from './writing.ts';

const SCALE_SCHEMA = 'io.k8s.api.autoscaling.v1.Scale';

export interface PatchRequest {
  readonly write: WriteRequest;
  readonly name: string;
  readonly type: PatchType;
  /** Parsed JSON. */
  readonly patch: unknown;
  readonly fieldValidation: FieldValidation;
  /** Duplicate fields that the parser found. */
  readonly duplicates: readonly string[];
  readonly force: boolean;
}

export class Api {
  readonly writer: Writer;

  constructor(writer: Writer) {
    this.writer = writer;
  }

  /** Reads a subresource that looks like an object. */
  getSubresource({ kind }: Served, object: StoredObject, subresource: string): StoredObject {
    switch (subresource) {
      case '':
      case 'status':
      case 'ephemeralcontainers':
      case 'resize':
      case 'approval':
        return object;
      case 'scale':
        return scaleOf(object, kind.custom?.scale);
      default:
        throw noSuchResource();
    }
  }

  update(write: WriteRequest, name: string, object: ApiObject): { object: StoredObject; created: boolean } {
    if (write.subresource === 'scale') {
      const scale = object as Scale & ApiObject;
      const paths = write.served.kind.custom?.scale;
      const result = this.writer.update(write, name, (current) => {
        const changed = withScale(current, scale, paths);
        const { resourceVersion, uid, name: scaleName } = object.metadata ?? {};
        changed.metadata = {
          ...changed.metadata,
          resourceVersion:
            (resourceVersion ?? '') === '' ? current.metadata.resourceVersion : resourceVersion,
          ...(uid === undefined ? {} : { uid }),
          ...(scaleName === undefined ? {} : { name: scaleName }),
        };
        return changed;
      });
      return { object: scaleOf(result.object, paths), created: false };
    }
    return this.writer.update(write, name, () => object, write.subresource === '' ? () => object : undefined);
  }

  /** Applies a patch of any kind. */
  patch(request: PatchRequest): { object: StoredObject; created: boolean } {
    const { write, name } = request;
    if (request.type === 'application/apply-patch+yaml') return applyServerSide(this.writer, request);
    if (write.subresource === 'scale') {
      const paths = write.served.kind.custom?.scale;
      const result = this.writer.update(write, name, (current) => {
        const patched = this.patched(scaleOf(current, paths), request, SCALE_SCHEMA);
        const changed = withScale(current, patched as Scale, paths);
        return changed;
      });
      return { object: scaleOf(result.object, paths), created: false };
    }
    return this.writer.update(write, name, (current) => {
      const patched = this.patched(current, request, write.served.schemaName);
      const object = this.decodePatched(request, patched);
      const patchMeta = object.metadata ?? {};
      if ((patchMeta.name ?? '') === '') {
        throw badRequest(
          `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
        );
      }
      checkSystemUntouched(write.served, object, current);
      return object;
    });
  }

  private patched(
    current: StoredObject,
    { type, patch }: PatchRequest,
    schemaName: string | undefined,
  ): Tree {
    let result: unknown;
    switch (type) {
      case 'application/json-patch+json':
        result = applyJsonPatch(current, patch);
        break;
      case 'application/merge-patch+json':
        if (patch === null) throw badRequest('Invalid JSON Patch');
        if (!isTree(patch)) throw badPatchType(patch);
        result = applyMergePatch(current, patch);
        break;
      default:
        if (!isTree(patch)) throw badPatchType(patch);
        if (schemaName === undefined) {
          throw failure(
            415,
            'UnsupportedMediaType',
            'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
          );
        }
        result = applyStrategicMerge(current, patch, schemaName);
    }
    if (!isTree(result))
      throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    return result;
  }

  private decodePatched(request: PatchRequest, patched: Tree): ApiObject {
    const { write, type, patch, fieldValidation, duplicates } = request;
    const strategic = type === 'application/strategic-merge-patch+json';
    const shown = (): string => (strategic ? goValue(patch) : JSON.stringify(patched));
    const refuse = (why: string): Error =>
      invalid('', '', '', [
        { type: 'Invalid', field: 'patch', body: `Invalid value: ${JSON.stringify(shown())}: ${why}` },
      ]);
    const { served } = write;
    if (!strategic && served.schemaName !== undefined) {
      const why = otherKindText(served, patched);
      if (why !== undefined) throw refuse(why);
    }
    const { object, error, unknown } = shape(served, patched);
    if (error !== undefined) throw refuse(strategic ? converterText(error) : error);
    if (patched['kind'] !== served.resource.kind && typeof patched['kind'] === 'string') {
      throw badRequest(
        `the kind in the data (${patched['kind']}) does not match the expected kind (${served.resource.kind})`,
      );
    }
    const complaints = [
      ...duplicates.map((path) =>
        type === 'application/json-patch+json'
          ? `json patch duplicate field "${path}"`
          : `duplicate field "${path}"`,
      ),
      ...unknown.map((path) => `unknown field "${path}"`),
    ];
    if (complaints.length === 0 || fieldValidation === 'Ignore') return object;
    if (fieldValidation === 'Strict') throw refuse(`strict decoding error: ${complaints.join(', ')}`);
    for (const complaint of complaints) write.warn(complaint);
    return object;
  }

  /** Binds a pod to a node (registry/core/pod/storage assignPod). */
  bind(write: WriteRequest, name: string, binding: Binding): Status {
    const { target } = binding;
    if ((binding.metadata?.name ?? '') !== '' && binding.metadata?.name !== name) {
      throw badRequest('name in URL does not match name in Binding object');
    }
    if (target.kind !== undefined && target.kind !== '' && target.kind !== 'Node') {
      throw unknownError(
        `target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
      );
    }
    if ((target.name ?? '') === '') throw unknownError('target.name: Required value');
    const bindingConflict = (why: string): Error =>
      conflict({ group: '', plural: 'pods/binding' }, name, why);
    this.writer.update({ ...write, subresource: 'binding' }, name, (current) => {
      const pod = cloneTree(current) as Pod & ApiObject;
      const spec = pod.spec!;
      if (pod.metadata?.deletionTimestamp !== undefined) {
        throw bindingConflict(`pod ${name} is being deleted, cannot be assigned to a host`);
      }
      if ((spec.nodeName ?? '') !== '')
        throw bindingConflict(`pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
      if ((spec.schedulingGates?.length ?? 0) > 0)
        throw bindingConflict(`pod ${name} has non-empty .spec.schedulingGates`);
      spec.nodeName = target.name!;
      pod.metadata = { ...pod.metadata, resourceVersion: '' };
      if (binding.metadata?.annotations !== undefined) {
        pod.metadata.annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations };
      }
      const scheduled = {
        type: 'PodScheduled',
        status: 'True' as const,
        lastProbeTime: null as unknown as string,
        lastTransitionTime: new Date(Math.floor(this.writer.nowMs / 1000) * 1000)
          .toISOString()
          .replace('.000Z', 'Z'),
        ...(pod.metadata.generation === undefined ? {} : {}),
      };
      const status = (pod.status ??= {});
      status.conditions = [
        ...(status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled'),
        scheduled,
      ];
      return pod;
    });
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  }

  evict(write: WriteRequest, name: string, eviction: ApiObject): Status {
    return evict(this.writer, write, name, eviction);
  }

  /** Empties a namespace's finalizers or sets what remains (PUT …/finalize). */
  finalize(write: WriteRequest, name: string, object: ApiObject): StoredObject {
    if (write.served.resource.plural !== 'namespaces') throw methodNotAllowed();
    const finalizers = (object['spec'] as { finalizers?: string[] } | undefined)?.finalizers;
    return this.writer.update({ ...write, subresource: 'finalize' }, name, (current) => {
      const copy = cloneTree(current) as ApiObject;
      copy['spec'] = { ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }) };
      return copy;
    }).object;
  }

  requireObject(served: Served, namespace: string, name: string): StoredObject {
    const object = served.table.get(namespace, name);
    if (object === undefined) throw notFound(served.resource, name);
    return served.present(object);
  }
}

function badPatchType(patch: unknown): Error {
  const kind = Array.isArray(patch)
    ? 'array'
    : patch === null
      ? 'null'
      : typeof patch === 'boolean'
        ? 'bool'
        : typeof patch;
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
  );
}

/** Why a patched object whose kind was patched too can't be decoded: it is read as what it now says it is. */
function otherKindText({ resource }: Served, patched: Tree): string | undefined {
  const { kind, apiVersion } = patched;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || kind === resource.kind) return undefined;
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const schemaName = schemaNameOf({ group, version, kind });
  if (schemaName === undefined)
    return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(LEGACY_SCHEME)}`;
  const notes = new DecodeNotes();
  decodeAs(schemaName, patched, notes);
  const internal = (resource.group.split('.')[0] ?? '') || 'core';
  return (
    notes.error ?? `converting (${version}.${kind}) to (${internal}.${resource.kind}): unknown conversion`
  );
}

/** The unstructured converter's words for what encoding/json says otherwise. */
function converterText(error: string): string {
  const match = /^json: cannot unmarshal (\w+)(?: [\d.]+)? into Go struct field \S+ of type (.+)$/.exec(
    error,
  );
  if (match === null) return error;
  const [, found = '', wanted = ''] = match;
  const kinds: Record<string, string> = {
    object: 'map',
    array: 'slice',
    number: 'int64',
    string: 'string',
    bool: 'bool',
  };
  const kind = kinds[found] ?? found;
  if (wanted.startsWith('[]')) return `cannot restore slice from ${kind}`;
  if (wanted.startsWith('map[')) return `cannot restore map from ${kind}`;
  if (wanted.startsWith('v1.')) return `cannot restore struct from: ${kind}`;
  // Go converts an integer to a string (a rune), so that the converter sees its mistake only later.
  return kind === 'int64' && wanted === 'string'
    ? `cannot convert ${kind} to ${wanted}`
    : `unrecognized type: ${wanted}`;
}

/** A patch of what only the system sets is refused; in an update that is left out or a precondition. */
function checkSystemUntouched(served: Served, object: ApiObject, current: StoredObject): void {
  const found = (['uid', 'deletionTimestamp'] as const).flatMap((field): FieldError[] => {
    const value = object.metadata?.[field];
    if (value === undefined || value === current.metadata[field]) return [];
    return [invalidValue(`metadata.${field}`, value, 'field is immutable')];
  });
  if (found.length === 0) return;
  // Found once for all objects, and once more by the validation of each built-in kind.
  const faults = served.schemaName === undefined ? found : [...found, ...found];
  throw invalid(served.resource.group, served.resource.kind, current.metadata.name, faults);
}
