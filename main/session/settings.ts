// The settings of a workspace, with what they are before anybody chose.
import type { Language, Settings } from '../../preload/contract.ts';
import type { Store } from '../storage/index.ts';

const KEY = '/settings/screen';

/** The saved settings, completed with defaults; `language` is the host's. */
export function readSettings(store: Store, language: Language): Settings {
  const record = store.get(KEY);
  const saved = record === undefined ? {} : (JSON.parse(String(record.value)) as Partial<Settings>);
  return { language, theme: 'system', terminalFontSize: 14, ...saved };
}

export function writeSettings(store: Store, settings: Settings): void {
  store.save([{ key: KEY, value: JSON.stringify(settings) }]);
}
