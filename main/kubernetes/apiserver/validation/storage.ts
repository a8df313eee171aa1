// storage.k8s.io: classes, drivers, attachments (pkg/apis/storage/validation).
import type { StorageClass } from '../../api/types.ts';
import { labelKeyProblems } from '../../api/selector.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { sortedEntries } from '../verbs/metadata.ts';
import { checkLabelSelector, type Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { nanoOf } from './resources.ts';
import { checkDriverName } from './volume-sources.ts';
import { immutable, validator, type Check, type Validator } from './validator.ts';

const PARAMETERS_MAX = 512;
const PARAMETER_BYTES_MAX = 256 * 1024;
const NODE_ID_MAX = 256;

type Parameters = Readonly<Record<string, string>>;

function checkParameters(faults: Faults, parameters: Parameters | undefined): void {
  const entries = sortedEntries(parameters);
  if (entries.length > PARAMETERS_MAX) {
    faults.tooLong('Provisioner Parameters Length', PARAMETERS_MAX);
    return;
  }
  let sizeBytes = 0;
  for (const [key, value] of entries) {
    if (key === '') faults.invalid('parameters', key, 'field can not be empty.');
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (sizeBytes > PARAMETER_BYTES_MAX) faults.tooLong('parameters', PARAMETER_BYTES_MAX);
}

/** The name of whoever makes or attaches volumes. */
function checkQualified(faults: Faults, field: string, name: string | undefined): void {
  if (faults.required(field, name)) faults.problems(field, name, labelKeyProblems(name!.toLowerCase()));
}

function checkClass(faults: Faults, storageClass: StorageClass): void {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies = [] } = storageClass;
  checkQualified(faults, 'provisioner', provisioner);
  checkParameters(faults, parameters);
  if ((reclaimPolicy ?? '') !== '') faults.word('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']);
  if (volumeBindingMode === undefined) faults.add(required('volumeBindingMode'));
  else faults.word('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
  const seen: unknown[] = [];
  for (const [index, term] of allowedTopologies.entries()) {
    const at = `allowedTopologies[${index}]`;
    const keys = new Set<string>();
    for (const [position, { key, values = [] }] of (term.matchLabelExpressions ?? []).entries()) {
      const field = `${at}.matchLabelExpressions[${position}]`;
      if (values.length === 0) faults.add(required(`${field}.values`));
      for (const [place, value] of values.entries())
        if (values.indexOf(value) < place) faults.duplicate(`${field}.values[${place}]`, value);
      faults.labelKey(`${field}.key`, key);
      if (keys.has(key)) faults.duplicate(`${field}.key`, key);
      keys.add(key);
    }
    if (seen.some((other) => equalTrees(other, term))) faults.duplicate(`${at}.matchLabelExpressions`, '');
    seen.push(term);
  }
}

interface Driver {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly attachRequired?: boolean;
    readonly fsGroupPolicy?: string;
    readonly volumeLifecycleModes?: readonly string[];
    readonly tokenRequests?: readonly { readonly audience: string; readonly expirationSeconds?: number }[];
    readonly nodeAllocatableUpdatePeriodSeconds?: number;
  };
}

const TOKEN_SECONDS_MIN = 600;

function checkDriver(faults: Faults, { metadata, spec }: Driver): void {
  checkDriverName(faults, 'metadata.name', metadata?.name ?? '');
  faults.word('spec.fsGroupPolicy', spec?.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']);
  for (const mode of spec?.volumeLifecycleModes ?? [])
    faults.word('spec.volumeLifecycleModes', mode, ['Ephemeral', 'Persistent']);
  const audiences = new Set<string>();
  for (const [index, { audience, expirationSeconds: seconds }] of (spec?.tokenRequests ?? []).entries()) {
    const at = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) faults.duplicate(`${at}.audience`, audience);
    audiences.add(audience);
    if (seconds !== undefined && seconds < TOKEN_SECONDS_MIN)
      faults.invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes');
  }
  const period = spec?.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10)
    faults.invalid(
      'spec.nodeAllocatableUpdatePeriodSeconds',
      period,
      'must be greater than or equal to 10 seconds',
    );
}

interface CsiNode {
  readonly spec?: {
    readonly drivers?: readonly {
      readonly name: string;
      readonly nodeID: string;
      readonly topologyKeys?: readonly string[];
      readonly allocatable?: { readonly count?: number };
    }[];
  };
}

function checkCsiNode(faults: Faults, { spec }: CsiNode): void {
  const names = new Set<string>();
  for (const [index, { name, nodeID, topologyKeys = [], allocatable }] of (spec?.drivers ?? []).entries()) {
    const at = `spec.drivers[${index}]`;
    checkDriverName(faults, `${at}.name`, name);
    faults.required(`${at}.nodeID`, nodeID);
    if (nodeID.length > NODE_ID_MAX)
      faults.invalid(`${at}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`);
    faults.notNegative(`${at}.allocatable.count`, allocatable?.count);
    if (names.has(name)) faults.duplicate(`${at}.name`, name);
    names.add(name);
    for (const [position, key] of topologyKeys.entries()) {
      if (key === '') faults.add(required(`${at}.topologyKeys`));
      if (topologyKeys.indexOf(key) < position) faults.duplicate(`${at}.topologyKeys`, key);
      faults.problems(`${at}.topologyKeys`, key, labelKeyProblems(key));
    }
  }
}

/** A driver that a node knows stays what it was. */
function checkCsiNodeUpdate(faults: Faults, now: CsiNode, old: CsiNode): void {
  checkCsiNode(faults, now);
  for (const [index, driver] of (now.spec?.drivers ?? []).entries()) {
    const before = old.spec?.drivers?.find(({ name }) => name === driver.name);
    const fixed = { ...driver, allocatable: before?.allocatable };
    if (before !== undefined && !equalTrees(fixed, before))
      faults.invalid(`spec.drivers[${index}]`, internalForm('CSINodeDriver', driver), 'field is immutable');
  }
}

interface Attachment {
  readonly spec?: {
    readonly attacher?: string;
    readonly nodeName?: string;
    readonly source?: { readonly persistentVolumeName?: string; readonly inlineVolumeSpec?: unknown };
  };
}

const checkAttachment: Check<Attachment> = (faults, { spec }) => {
  const { attacher = '', nodeName, source = {} } = spec ?? {};
  checkDriverName(faults, 'spec.attacher', attacher);
  const { persistentVolumeName, inlineVolumeSpec } = source;
  if (persistentVolumeName === undefined && inlineVolumeSpec === undefined)
    faults.add(
      required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'),
    );
  if (persistentVolumeName !== undefined && inlineVolumeSpec !== undefined)
    faults.forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName');
  if (
    persistentVolumeName !== undefined &&
    faults.required('spec.source.persistentVolumeName', persistentVolumeName)
  )
    faults.subdomain('spec.source.persistentVolumeName', persistentVolumeName);
  if (faults.required('spec.nodeName', nodeName)) faults.subdomain('spec.nodeName', nodeName!);
};

interface Capacity {
  readonly storageClassName?: string;
  readonly nodeTopology?: unknown;
  readonly capacity?: string;
  readonly maximumVolumeSize?: string;
}

function checkCapacity(
  faults: Faults,
  { storageClassName, nodeTopology, capacity, maximumVolumeSize }: Capacity,
): void {
  checkLabelSelector(faults, 'nodeTopology', nodeTopology as never);
  if (faults.required('storageClassName', storageClassName))
    faults.subdomain('storageClassName', storageClassName!);
  for (const [field, value] of Object.entries({ capacity, maximumVolumeSize }))
    if (value !== undefined && nanoOf(value) < 0n)
      faults.invalid(field, value, 'must be greater than or equal to 0');
}

interface AttributesClass {
  readonly driverName?: string;
  readonly parameters?: Parameters;
}

function checkAttributesClass(faults: Faults, { driverName, parameters }: AttributesClass): void {
  checkQualified(faults, 'driverName', driverName);
  if (Object.keys(parameters ?? {}).length === 0)
    faults.add(required('parameters', 'must contain at least one key/value pair'));
  checkParameters(faults, parameters);
}

export const storageValidators: Readonly<Record<string, Validator>> = {
  storageclasses: validator<StorageClass>({
    create: checkClass,
    update: (faults, now, old) => {
      checkClass(faults, now);
      for (const field of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const)
        immutable(faults, field, now[field], old[field], now[field] ?? null);
    },
  }),
  csidrivers: validator<Driver>({
    create: checkDriver,
    update: (faults, now, old) => {
      checkDriver(faults, now);
      immutable(faults, 'spec.attachedRequired', now.spec?.attachRequired, old.spec?.attachRequired);
      immutable(
        faults,
        'spec.volumeLifecycleModes',
        now.spec?.volumeLifecycleModes,
        old.spec?.volumeLifecycleModes,
        now.spec?.volumeLifecycleModes ?? null,
      );
    },
  }),
  csinodes: validator<CsiNode>({ create: checkCsiNode, update: checkCsiNodeUpdate }),
  volumeattachments: validator<Attachment>({
    create: checkAttachment,
    update: (faults, now, old, context) => {
      checkAttachment(faults, now, context);
      if (!equalTrees(now.spec, old.spec)) faults.invalid('spec', now.spec, 'field is immutable');
    },
  }),
  csistoragecapacities: validator<Capacity>({
    create: checkCapacity,
    update: (faults, now, old) => {
      checkCapacity(faults, now);
      immutable(faults, 'nodeTopology', now.nodeTopology, old.nodeTopology, now.nodeTopology ?? null);
      immutable(faults, 'storageClassName', now.storageClassName, old.storageClassName);
    },
  }),
  volumeattributesclasses: validator<AttributesClass>({
    create: checkAttributesClass,
    update: (faults, now, old) => {
      checkAttributesClass(faults, now);
      if (now.driverName !== old.driverName)
        faults.forbidden('driverName', 'updates to driverName are forbidden.');
      if (!equalTrees(now.parameters, old.parameters))
        faults.forbidden('parameters', 'updates to parameters are forbidden.');
    },
  }),
};
