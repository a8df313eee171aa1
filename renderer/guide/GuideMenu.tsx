// What can be done with a step besides working on it: have it shown, reset it, or start the lab over.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { LabState } from '../../preload/contract.ts';
import { ConfirmDialog, Icon, Popover } from '../design/index.ts';
import { useStore } from '../state/index.ts';

export function GuideMenu({ lab }: { lab: LabState }) {
  const { t } = useTranslation();
  const { solveStep, resetStep, restartLab } = useStore().getState();
  const [asking, setAsking] = useState<'reset' | 'restart'>();
  const index = lab.currentStep;
  const { busy } = lab;
  return (
    <div className="guide-menu">
      <button
        className="quiet-button"
        title={t('guide.showMeHelp')}
        disabled={busy !== undefined}
        data-testid="show-me"
        onClick={() => void solveStep(index)}
      >
        {busy === 'solving' ? <span className="spinner" aria-hidden="true" /> : <Icon name="play" />}
        {busy === 'solving' ? t('guide.solving') : t('guide.showMe')}
      </button>
      <Popover
        label={busy === 'resetting' ? t('guide.resetting') : t('guide.more')}
        icon="more"
        testId="guide-more"
      >
        {(close) => (
          <ul className="menu">
            {(['reset', 'restart'] as const).map((what) => (
              <li key={what}>
                <button
                  className="menu-item"
                  disabled={busy !== undefined}
                  data-testid={`${what}-step`}
                  onClick={() => {
                    close();
                    setAsking(what);
                  }}
                >
                  <Icon name="reset" />
                  <span className="menu-item-text">{t(`guide.${what}`)}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </Popover>
      {asking !== undefined && (
        <ConfirmDialog
          title={t(`guide.${asking}Title`)}
          text={t(`guide.${asking}Text`)}
          confirm={t(`guide.${asking}`)}
          cancel={t('guide.cancel')}
          onConfirm={() => void (asking === 'reset' ? resetStep(index) : restartLab())}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
}
