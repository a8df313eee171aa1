// KubeSchedulerConfiguration, as `kube-scheduler --config` reads it: which profiles there are.
import { parse } from 'yaml';

/**
 * The scheduler names of a configuration's profiles. Throws when it isn't one, and when it asks for plugins to be set up
 * otherwise than by default, which isn't simulated.
 */
export function readSchedulerProfiles(text: string): string[] {
  const file: unknown = parse(text);
  if (!isObject(file) || file['kind'] !== 'KubeSchedulerConfiguration')
    throw new Error('no kind "KubeSchedulerConfiguration" is registered for the configuration');
  const profiles = Array.isArray(file['profiles']) ? file['profiles'] : [];
  const names = profiles.map((profile: unknown) => {
    if (!isObject(profile)) return 'default-scheduler';
    for (const field of ['plugins', 'pluginConfig'])
      if (profile[field] !== undefined) throw new Error(`drydock: profiles[].${field} isn't simulated`);
    const name = profile['schedulerName'];
    return typeof name === 'string' && name !== '' ? name : 'default-scheduler';
  });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`duplicate profile with scheduler name "${twice}"`);
  return names.length === 0 ? ['default-scheduler'] : names;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
