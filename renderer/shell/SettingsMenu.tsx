// Theme, terminal font, screen readers, the panes' arrangement, and which keys do what.
import { useTranslation } from 'react-i18next';

import type { Theme } from '../../preload/contract.ts';
import { Popover } from '../design/index.ts';
import { useApp, useStore } from '../state/index.ts';

const THEMES: readonly { theme: Theme; label: 'top.themeSystem' | 'top.themeLight' | 'top.themeDark' }[] = [
  { theme: 'system', label: 'top.themeSystem' },
  { theme: 'light', label: 'top.themeLight' },
  { theme: 'dark', label: 'top.themeDark' },
];

const SHORTCUTS = [
  { keys: ['F6'], label: 'top.shortcutPanes' },
  { keys: ['Ctrl', 'Shift', 'C'], label: 'top.shortcutCopy' },
  { keys: ['Ctrl', 'Shift', 'V'], label: 'top.shortcutPaste' },
  { keys: ['Ctrl', 'Shift', 'F'], label: 'top.shortcutFind' },
] as const;

const FONT_SIZE_MIN = 9;
const FONT_SIZE_MAX = 28;

export function SettingsMenu() {
  const { t } = useTranslation();
  const { theme, terminalFontSize } = useApp((store) => store.settings);
  const screenReader = useApp((store) => store.screenReader);
  const { updateSettings, setScreenReader } = useStore().getState();
  const resize = (by: number): void => {
    const size = Math.min(FONT_SIZE_MAX, Math.max(FONT_SIZE_MIN, terminalFontSize + by));
    updateSettings({ terminalFontSize: size });
  };
  return (
    <Popover label={t('top.settings')} icon="settings" testId="settings">
      {(close) => (
        <div className="settings">
          <h2>{t('top.theme')}</h2>
          <div className="segmented" role="group" aria-label={t('top.theme')}>
            {THEMES.map((choice) => (
              <button
                key={choice.theme}
                aria-pressed={theme === choice.theme}
                data-testid={`theme-${choice.theme}`}
                onClick={() => updateSettings({ theme: choice.theme })}
              >
                {t(choice.label)}
              </button>
            ))}
          </div>
          <h2>{t('top.fontSize')}</h2>
          <div className="stepper" role="group" aria-label={t('top.fontSize')}>
            <button className="button" aria-label={t('top.smaller')} onClick={() => resize(-1)}>
              −
            </button>
            <output>{terminalFontSize}</output>
            <button className="button" aria-label={t('top.larger')} onClick={() => resize(1)}>
              +
            </button>
          </div>
          <label className="option">
            <input
              type="checkbox"
              checked={screenReader}
              onChange={(event) => setScreenReader(event.target.checked)}
            />
            {t('top.screenReader')}
          </label>
          <button
            className="button"
            data-testid="reset-layout"
            onClick={() => {
              close();
              updateSettings({ layout: '' });
            }}
          >
            {t('top.resetLayout')}
          </button>
          <h2>{t('top.shortcuts')}</h2>
          <dl className="shortcuts">
            {SHORTCUTS.map(({ keys, label }) => (
              <div key={label}>
                <dt>{t(label)}</dt>
                <dd>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </Popover>
  );
}
