import { readFileSync } from 'node:fs';
import { mergePatch } from '../../examples/sandbox/kubernetes/objects.ts';
import type { JsonObject } from '../../src/base/json.ts';

export interface Step {
  /** `Kustomization/auto`: what has changed. */
  of: string;
  object: JsonObject;
  /** All objects of the story as they were by then. */
  world: ReadonlyMap<string, JsonObject>;
}

interface Story {
  what: string;
  steps: { of: string; change: JsonObject }[];
}

/** What the controllers of Flux wrote, change by change, as a watch told it. */
export function recordedStories(file: 'statuses' | 'helm-releases' = 'statuses'): { what: string; steps: Step[] }[] {
  const recorded = readFileSync(new URL(`../fixtures/flux/${file}.json`, import.meta.url), 'utf8');
  const { stories } = JSON.parse(recorded) as { stories: Story[] };
  return stories.map(({ what, steps }) => {
    const world = new Map<string, JsonObject>();
    return {
      what,
      steps: steps.map(({ of, change }) => {
        const object = mergePatch(world.get(of), change) as JsonObject;
        world.set(of, object);
        return { of, object, world: new Map(world) };
      }),
    };
  });
}

/** `Kustomization: Healthy=True/Succeeded Ready=True/ReconciliationSucceeded`, however the conditions are sorted. */
export function sayConditions(object: JsonObject): string {
  const { conditions = [] } = (object['status'] ?? {}) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  const said = conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).sort();
  return `${String(object['kind'])}: ${said.join(' ')}`;
}
