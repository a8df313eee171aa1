// Stories that keep to their own namespace, a few at a time on one cluster whose clock runs fast.
import { playScenarios } from './play.ts';

playScenarios('together', { speed: 20, concurrent: true });
