import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { z } from "zod";
import { findProgram } from "../../../runner/system/programs.ts";

/** What a browser is told, so that it neither updates itself nor speaks to anybody. */
const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export interface Seen {
  readonly page: Page;
  /** What the console said at the levels error and warning, and what the page threw. */
  readonly complaints: readonly string[];
  /** Every request but that for the page itself. */
  readonly requests: readonly string[];
}

export interface Browser {
  visit(url: string): Promise<Seen>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** A browser of this machine with an empty profile of its own. */
export async function openBrowser(view: View): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), "dr-browser-"));
  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  let context: BrowserContext;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: await findProgram("chromium"),
      args: quiet,
      viewport: { width: view.width, height: view.height },
      colorScheme: view.scheme,
      env: { HOME: profile, PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8" },
    });
  } catch (error) {
    await removeProfile();
    throw error;
  }
  return {
    async visit(url) {
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => {
        complaints.push(error.message);
      });
      page.on("request", (request) => {
        if (request.url() !== url) requests.push(request.url());
      });
      await page.goto(url, { waitUntil: "load" });
      return { page, complaints, requests };
    },
    async close() {
      await context.close();
      await removeProfile();
    },
  };
}

/** Computes, in the page, every text's contrast with what lies behind it as WCAG 2 does; the lowest five. */
const contrastScript = `(() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const text = node.textContent.trim();
    if (text === "") continue;
    const [light, dark] = [luminance(channels(getComputedStyle(node.parentElement).color)), luminance(ground(node.parentElement))].sort((a, b) => b - a);
    found.push({ text, contrast: (light + 0.05) / (dark + 0.05) });
  }
  return found.sort((a, b) => a.contrast - b.contrast).slice(0, 5);
})()`;

export async function lowestContrasts(page: Page): Promise<{ text: string; contrast: number }[]> {
  return z.array(z.object({ text: z.string(), contrast: z.number() })).parse(await page.evaluate(contrastScript));
}

/** The page's width in pixels, and what of it is outside the window. Headers that are hidden from the eye are not. */
const overflowScript = `(() => ({
  width: document.documentElement.scrollWidth,
  beyond: [...document.querySelectorAll("main *")]
    .filter((element) => element.closest("caption, thead") === null && element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 120)),
}))()`;

export async function overflowOf(page: Page): Promise<{ width: number; beyond: string[] }> {
  return z.object({ width: z.number(), beyond: z.array(z.string()) }).parse(await page.evaluate(overflowScript));
}

export const groundOf = async (page: Page): Promise<string> => z.string().parse(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
