import type { Request, Response } from 'express';
import type { Clock } from '../../base/clock.ts';
import type { Frame } from '../../ui/frame.ts';
import type { Authentication } from '../authentication.ts';
import { themeOf } from './theme.ts';

/** What a page is drawn with, for who asks. */
export type FrameOf = (request: Request, response: Response, screen: Frame['screen']) => Frame;

export interface FrameTools {
  clock: Clock;
  authentication: Authentication;
}

/** Frames for the pages of one service. */
export function createFrameOf({ clock }: FrameTools): FrameOf {
  return (request, _response, screen) => {
    const theme = themeOf(request);
    return {
      now: clock.now().toISOString(),
      path: request.originalUrl,
      screen,
      ...(theme === undefined ? {} : { theme }),
    };
  };
}
