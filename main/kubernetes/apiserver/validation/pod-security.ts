// Security contexts of pods and containers (pkg/apis/core/validation ValidateSecurityContext, validatePodSpecSecurityContext).
import type { Container, PodSpec } from '../../api/types.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';
import { internalForm } from './internal-form.ts';
import { checkRelativePath } from './volume-sources.ts';

const ID_MAX = 2_147_483_647;
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const SYSCTL_LENGTH_MAX = 253;
const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const APP_ARMOR_BYTES_MAX = 4095;

interface Profile {
  readonly type?: string;
  readonly localhostProfile?: string;
}

function checkSeccomp(faults: Faults, at: string, profile: Profile | undefined): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') faults.add(required(`${at}.type`, 'type is required when seccompProfile is set'));
  else faults.word(`${at}.type`, type, PROFILE_TYPES);
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      faults.invalid(
        `${at}.localhostProfile`,
        internalForm('SeccompProfile', profile),
        'can only be set when seccomp type is Localhost',
      );
  } else if (localhostProfile === undefined)
    faults.add(required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  else checkRelativePath(faults, `${at}.localhostProfile`, localhostProfile);
}

function checkAppArmor(faults: Faults, at: string, profile: Profile | undefined): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  const field = `${at}.localhostProfile`;
  if (type === '') faults.add(required(`${at}.type`, 'type is required when appArmorProfile is set'));
  else if (type === 'Localhost') {
    if (localhostProfile === undefined)
      faults.add(required(field, 'must be set when AppArmor type is Localhost'));
    else if (localhostProfile.trim() !== localhostProfile)
      faults.invalid(field, localhostProfile, 'must not be padded with whitespace');
    else if (localhostProfile === '')
      faults.add(required(field, 'must be set when AppArmor type is Localhost'));
    else if (Buffer.byteLength(localhostProfile) > APP_ARMOR_BYTES_MAX)
      faults.tooLong(field, APP_ARMOR_BYTES_MAX);
  } else if (PROFILE_TYPES.includes(type)) {
    if (localhostProfile !== undefined)
      faults.invalid(field, localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else faults.unsupported(`${at}.type`, type, PROFILE_TYPES);
}

type Windows = NonNullable<NonNullable<Container['securityContext']>['windowsOptions']>;
const GMSA_SPEC_BYTES_MAX = 64 * 1024;

function checkWindowsOptions(faults: Faults, at: string, options: Windows | undefined): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options ?? {};
  if (gmsaCredentialSpecName !== undefined)
    faults.subdomain(`${at}.gmsaCredentialSpecName`, gmsaCredentialSpecName);
  if (gmsaCredentialSpec === '')
    faults.invalid(
      `${at}.gmsaCredentialSpec`,
      gmsaCredentialSpec,
      'gmsaCredentialSpec cannot be an empty string',
    );
  else if (gmsaCredentialSpec !== undefined && gmsaCredentialSpec.length > GMSA_SPEC_BYTES_MAX)
    faults.invalid(
      `${at}.gmsaCredentialSpec`,
      gmsaCredentialSpec,
      `gmsaCredentialSpec size must be under ${GMSA_SPEC_BYTES_MAX / 1024} KiB`,
    );
  if (runAsUserName === '')
    faults.invalid(`${at}.runAsUserName`, runAsUserName, 'runAsUserName cannot be an empty string');
}

/** A pod's own security context, and what of it contradicts the pod's namespaces. */
export function checkPodSecurity(faults: Faults, path: string, spec: PodSpec): void {
  const at = `${path}.securityContext`;
  const security = spec.securityContext ?? {};
  faults.between(`${at}.fsGroup`, security.fsGroup, 0, ID_MAX);
  faults.between(`${at}.runAsUser`, security.runAsUser, 0, ID_MAX);
  faults.between(`${at}.runAsGroup`, security.runAsGroup, 0, ID_MAX);
  for (const [index, group] of (security.supplementalGroups ?? []).entries())
    faults.between(`${at}.supplementalGroups[${index}]`, group, 0, ID_MAX);
  if (spec.hostPID === true && spec.shareProcessNamespace === true)
    faults.invalid(
      `${at}.shareProcessNamespace`,
      true,
      'ShareProcessNamespace and HostPID cannot both be enabled',
    );
  checkSysctls(faults, `${at}.sysctls`, spec);
  faults.word(`${at}.fsGroupChangePolicy`, security.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  checkSeccomp(faults, `${at}.seccompProfile`, security.seccompProfile);
  checkWindowsOptions(faults, `${at}.windowsOptions`, security.windowsOptions);
  checkAppArmor(faults, `${at}.appArmorProfile`, security.appArmorProfile);
  faults.word(`${at}.supplementalGroupsPolicy`, security.supplementalGroupsPolicy, ['Merge', 'Strict']);
  faults.word(`${at}.seLinuxChangePolicy`, security.seLinuxChangePolicy, ['MountOption', 'Recursive']);
}

function checkSysctls(faults: Faults, path: string, spec: PodSpec): void {
  const seen = new Set<string>();
  for (const [index, { name = '' }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const field = `${path}[${index}].name`;
    if (name === '') faults.add(required(field));
    else if (name.length > SYSCTL_LENGTH_MAX || !SYSCTL.test(name))
      faults.invalid(
        field,
        name,
        String.raw`must have at most ${SYSCTL_LENGTH_MAX} characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`,
      );
    else if (seen.has(name)) faults.duplicate(field, name);
    if (spec.hostNetwork === true && /^net[./]/.test(name))
      faults.invalid(field, name, "may not be specified when 'hostNetwork' is true");
    if (spec.hostIPC === true && /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/.test(name))
      faults.invalid(field, name, "may not be specified when 'hostIPC' is true");
    seen.add(name);
  }
}

export function checkContainerSecurity(
  faults: Faults,
  at: string,
  security: Container['securityContext'],
  spec: PodSpec,
): void {
  if (security === undefined) return;
  faults.between(`${at}.runAsUser`, security.runAsUser, 0, ID_MAX);
  faults.between(`${at}.runAsGroup`, security.runAsGroup, 0, ID_MAX);
  if (security.procMount !== undefined) {
    faults.word(`${at}.procMount`, security.procMount, ['Default', 'Unmasked']);
    if (security.procMount === 'Unmasked' && spec.hostUsers !== false)
      faults.invalid(`${at}.procMount`, security.procMount, '`hostUsers` must be false to use `Unmasked`');
  }
  checkSeccomp(faults, `${at}.seccompProfile`, security.seccompProfile);
  if (security.allowPrivilegeEscalation === false) {
    const shown = (): unknown => internalForm('SecurityContext', security);
    if (security.privileged === true)
      faults.invalid(at, shown(), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
    if ((security.capabilities?.add ?? []).includes('CAP_SYS_ADMIN'))
      faults.invalid(
        at,
        shown(),
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      );
  }
  checkWindowsOptions(faults, `${at}.windowsOptions`, security.windowsOptions);
  checkAppArmor(faults, `${at}.appArmorProfile`, security.appArmorProfile);
}

const NOT_ON_WINDOWS_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
] as const;
const NOT_ON_WINDOWS_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** What a pod that names its operating system may not ask for (validateLinux, validateWindows). */
export function checkOperatingSystem(faults: Faults, path: string, spec: PodSpec): void {
  const { os, securityContext = {} } = spec;
  if (os === undefined) return;
  if (!faults.required(`${path}.os.name`, os.name)) return;
  if (!['linux', 'windows'].includes(os.name)) {
    faults.unsupported(`${path}.os`, os.name, ['linux', 'windows']);
    return;
  }
  const containers = (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({
      container,
      at: `${path}.${list}[${index}].securityContext`,
    })),
  );
  if (os.name === 'linux') {
    const message = 'windows options cannot be set for a linux pod';
    if (securityContext.windowsOptions !== undefined)
      faults.forbidden(`${path}.securityContext.windowsOptions`, message);
    for (const { container, at } of containers)
      if (container.securityContext?.windowsOptions !== undefined)
        faults.forbidden(`${at}.windowsOptions`, message);
    return;
  }
  const message = 'cannot be set for a windows pod';
  for (const field of NOT_ON_WINDOWS_POD.slice(0, 3))
    if (securityContext[field] !== undefined) faults.forbidden(`${path}.securityContext.${field}`, message);
  if (spec.hostUsers !== undefined) faults.forbidden(`${path}.hostUsers`, message);
  if (spec.hostPID === true) faults.forbidden(`${path}.hostPID`, message);
  if (spec.hostIPC === true) faults.forbidden(`${path}.hostIPC`, message);
  for (const field of NOT_ON_WINDOWS_POD.slice(3))
    if (securityContext[field] !== undefined) faults.forbidden(`${path}.securityContext.${field}`, message);
  if (spec.shareProcessNamespace !== undefined)
    faults.forbidden(`${path}.securityContext.shareProcessNamespace`, message);
  for (const { container, at } of containers)
    for (const field of NOT_ON_WINDOWS_CONTAINER)
      if (container.securityContext?.[field] !== undefined) faults.forbidden(`${at}.${field}`, message);
}
