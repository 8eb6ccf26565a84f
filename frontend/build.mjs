// Builds booking/static/dist: bundles with hashed names, one sprite of icons, a manifest.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

import { FILLED, OUTLINE, OWN } from "./icons.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "booking", "static", "dist");
const STROKES = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
const FILL = 'fill="currentColor"';
const entries = ["styles/app.css", "styles/calendar.css", "scripts/app.js", "scripts/calendar.js"];

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: entries,
  entryNames: "[name]-[hash]",
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome109", "firefox115", "safari16"],
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
});

const manifest = {};
for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
  if (entryPoint) manifest[basename(entryPoint)] = basename(output);
}
manifest["icons.svg"] = keep("icons", ".svg", sprite());
manifest["icon.svg"] = keep("icon", ".svg", readFileSync(join(dist, "..", "icon.svg")));
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2));
for (const name of readdirSync(dist)) compress(name);

/** Write a file under a name that says its content, and return that name. */
function keep(name, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const file = `${name}-${hash}${extension}`;
  writeFileSync(join(dist, file), content);
  return file;
}

/** Return the picked icons as symbols; their colour and size are the page's. */
function sprite() {
  const symbols = [
    ...OUTLINE.map((name) => picked(name, "outline")),
    ...FILLED.map((name) => picked(name, "filled")),
    ...Object.entries(OWN).map(([name, drawn]) => symbol(name, STROKES, drawn)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

function picked(name, kind) {
  const path = join(here, "node_modules", "@tabler", "icons", "icons", kind, `${name}.svg`);
  const [, inside] = readFileSync(path, "utf8").match(/<svg[^>]*>([\s\S]*)<\/svg>/);
  const drawn = inside.replace(/<path stroke="none"[^>]*\/>/, "").replace(/\s+/g, " ").trim();
  return kind === "outline" ? symbol(name, STROKES, drawn) : symbol(`${name}-filled`, FILL, drawn);
}

function symbol(name, paint, drawn) {
  return `<symbol id="${name}" viewBox="0 0 24 24" ${paint}>${drawn}</symbol>`;
}

/** Lay the compressed forms beside the file, where they are smaller. */
function compress(name) {
  if (extname(name) === ".json") return;
  const raw = readFileSync(join(dist, name));
  writeFileSync(join(dist, `${name}.gz`), gzipSync(raw, { level: 9 }));
  writeFileSync(join(dist, `${name}.br`), brotliCompressSync(raw));
}
