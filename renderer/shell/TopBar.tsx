// The bar at the top: where one is, the score, the doors for the host's own tools, language, and settings.
import { useTranslation } from 'react-i18next';

import type { Language } from '../../preload/contract.ts';
import { Brand, Icon } from '../design/index.ts';
import { useApp, useLocalized, useStore } from '../state/index.ts';
import { HostDoorsMenu } from './HostDoorsMenu.tsx';
import { SettingsMenu } from './SettingsMenu.tsx';

/** Each language by its own name, so that who reads only that one finds it. */
const LANGUAGES: readonly { code: Language; name: string }[] = [
  { code: 'zh', name: '\u4e2d\u6587' },
  { code: 'en', name: 'English' },
];

export function TopBar() {
  const { t } = useTranslation();
  const localized = useLocalized();
  const place = useApp((store) => store.place);
  const lab = useApp((store) => store.lab);
  const language = useApp((store) => store.settings.language);
  const { goToShelf, updateSettings } = useStore().getState();
  const inLab = place === 'workbench';
  return (
    <header className="top-bar" aria-label={t('top.bar')}>
      <button
        className="brand"
        aria-label={t('top.backToShelf')}
        title={t('top.backToShelf')}
        data-testid="back-to-shelf"
        onClick={goToShelf}
      >
        <Brand />
        <span>{t('app.name')}</span>
      </button>
      {inLab && (
        <nav className="crumbs">
          <button className="quiet-button" onClick={goToShelf}>
            {t('top.shelf')}
          </button>
          {lab !== undefined && (
            <>
              <Icon name="forward" />
              <span className="crumb-here" data-testid="lab-title">
                {localized(lab.title)}
              </span>
            </>
          )}
        </nav>
      )}
      <span className="spacer" />
      {inLab && lab !== undefined && (
        <div className="score" data-testid="score" data-points={lab.points} data-points-max={lab.pointsMax}>
          <span className="score-label">{t('top.score')}</span>
          <meter
            min={0}
            max={Math.max(1, lab.pointsMax)}
            value={lab.points}
            aria-label={t('top.score')}
            title={t('top.scoreValue', { points: lab.points, max: lab.pointsMax })}
          />
          <strong>
            {lab.points}
            <span> / {lab.pointsMax}</span>
          </strong>
        </div>
      )}
      {inLab && <HostDoorsMenu />}
      <div className="segmented" role="group" aria-label={t('top.language')}>
        {LANGUAGES.map(({ code, name }) => (
          <button
            key={code}
            lang={code}
            aria-pressed={language === code}
            data-testid={`language-${code}`}
            onClick={() => updateSettings({ language: code })}
          >
            {name}
          </button>
        ))}
      </div>
      <SettingsMenu />
    </header>
  );
}
