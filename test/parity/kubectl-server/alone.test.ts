// Stories that change nodes, or let minutes and hours pass: one after the other.
import { playScenarios } from './play.ts';

playScenarios('alone', { speed: 20, concurrent: false });
