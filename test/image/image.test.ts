import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { debian13 } from "../../components/databases/postgres/args.ts";
import { imageUser } from "../../components/kubernetes/pod.ts";
import { neededModules } from "../../image/modules.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { parseVersion } from "../../plan/config/version.ts";
import type { StackRole } from "../../plan/names.ts";
import { packageOf } from "../../runner/system/programs.ts";
import { readConfiguration } from "../../stacks/configuration/read.ts";
import { instructionsOf, stagesOf } from "../harness/dockerfile.ts";
import { linesOf, packagesOf } from "../harness/image-files.ts";
import { objectsOf } from "../harness/kubernetes.ts";
import { declareStack } from "../harness/stacks.ts";
import { exampleConfig } from "../harness/stack-examples.ts";

const root = join(import.meta.dirname, "..", "..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");

const packages = packagesOf(text("image/packages"));
/** Of Debian's package without the number of PostgreSQL's version, which the image's name holds and a machine's need not. */
const inImage = new Set([...packages.keys()].map((name) => name.replace(/-\d+$/, "")));
const dockerfile = instructionsOf(text("image/Dockerfile"));

const given = readConfiguration("primary", exampleConfig("primary"));
if (given.role !== "primary") throw new TypeError("the example of the primary region is of another");

describe("the image's packages", () => {
  /** What runs elsewhere, and where. */
  const elsewhere: Readonly<Record<string, string>> = {
    pulumi: "infrastructure is brought up from where people are",
    qdrant: "a verification of vectors looks for it, and says so where it is not",
  };
  const called = globSync("runner/**/*.ts", { cwd: root }).flatMap((file) => [...text(file).matchAll(/\b(?:find|lookUp)Program\("([^"]+)"/g)].map(([, name = ""]) => name));

  it("bring every program that the runner calls", () => {
    expect(new Set(called).size).toBeGreaterThan(12);
    expect(called.filter((name) => elsewhere[name] === undefined && !inImage.has(packageOf(name) ?? ""))).toEqual([]);
    expect(Object.keys(elsewhere).filter((name) => !called.includes(name))).toEqual([]);
  });

  const pod = z.object({ initContainers: z.array(z.unknown()).default([]), containers: z.array(z.unknown()) });
  const container = z.object({ name: z.string(), image: z.string(), command: z.tuple([z.string()], z.string()) });
  /** Every pod anywhere in an object. */
  const podsIn = (value: unknown): z.infer<typeof pod>[] => {
    if (typeof value !== "object" || value === null) return [];
    const found = pod.safeParse(value);
    return found.success ? [found.data] : Object.values(value).flatMap(podsIn);
  };

  it.each<StackRole>(["archive", "secondary", "primary", "drill"])("bring what every container of %s that runs from the image starts", async (role) => {
    const objects = objectsOf((await declareStack(blackroad, role)).all);
    const containers = objects.flatMap(podsIn).flatMap(({ containers: main, initContainers }) => [...initContainers, ...main]).map((one) => container.parse(one));
    const ours = containers.filter(({ image }) => image === given.images.runner);
    expect(ours.length).toBeGreaterThan(0);
    const known = (program: string): boolean => program === "dr" || program === "/bin/sh" || inImage.has(packageOf(program) ?? "");
    expect(ours.filter(({ command: [program] }) => !known(program)).map(({ name, command }) => `${name}: ${command.join(" ")}`)).toEqual([]);
  });

  it("are of the versions that the configurations are written for", () => {
    const versions = { "etcd-server": debian13.etcd, haproxy: debian13.haproxy, patroni: debian13.patroni, pgbackrest: debian13.pgbackrest };
    for (const [name, version] of Object.entries(versions)) expect([name, packages.get(name)]).toEqual([name, `${version}.*`]);
    for (const name of ["postgresql", "postgresql-client"]) expect(packages.has(`${name}-${debian13.postgres}`)).toBe(true);
    const { major, minor } = parseVersion(given.versions.redis) ?? {};
    for (const name of ["redis-server", "redis-tools"]) expect(packages.get(name)).toBe(`5:${major}.${minor}.*`);
  });
});

describe("what of the checkout is in the image", () => {
  const files = linesOf(text("image/files"));
  const sources = [...files.filter((path) => path !== "package.json")].flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));

  it("is there, and imports nothing that is not", () => {
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const outside = sources.flatMap((file) =>
      [...text(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, name = ""]) => join(file, "..", name)).filter((path) => !files.some((folder) => path.startsWith(`${folder}/`))),
    );
    expect(outside).toEqual([]);
  });

  it("has every npm package that it imports, with all that those want, and neither Pulumi's nor what only tests use", () => {
    const needed = neededModules(text("package-lock.json"));
    const imported = new Set(sources.flatMap((file) => [...text(file).matchAll(/^(?:import|export) (?!type ).*?from "([^."][^"]*)"|import\("([^."][^"]*)"\)/gm)].map(([, a, b]) => a ?? b ?? "")));
    const names = [...imported].filter((name) => !name.startsWith("node:")).map((name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/"));
    expect(names.length).toBeGreaterThan(5);
    // The stack of a drill in a cluster is brought up from where people are.
    expect(names.filter((name) => !name.startsWith("@pulumi/") && !needed.includes(`node_modules/${name}`))).toEqual([]);
    expect(needed.filter((path) => /@pulumi|\/(vitest|typescript|eslint|node|playwright-core)$/.test(path))).toEqual([]);
  });

  it("fails where the lock file lacks a package", () => {
    expect(() => neededModules(JSON.stringify({ packages: { "": { dependencies: { absent: "1.0.0" } } } }))).toThrow("package-lock.json lacks absent, which package.json depends on");
  });

  it("takes the version of a package that its own user sees", () => {
    const lock = { packages: { "": { dependencies: { a: "1", b: "1" } }, "node_modules/a": { dependencies: { b: "2" } }, "node_modules/a/node_modules/b": { peerDependencies: { c: "1", d: "1" } }, "node_modules/b": {}, "node_modules/c": {} } };
    expect(neededModules(JSON.stringify(lock))).toEqual(["node_modules/a", "node_modules/a/node_modules/b", "node_modules/b", "node_modules/c"]);
  });
});

describe("the Dockerfile", () => {
  const stages = stagesOf(dockerfile);
  const last = stages.at(-1)?.instructions ?? [];
  const ignored = linesOf(text(".dockerignore"));
  const argument = (name: string): string => dockerfile.find(({ keyword, words: [first = ""] }) => keyword === "ARG" && first.startsWith(`${name}=`))?.words[0]?.slice(name.length + 1) ?? "";

  it("builds from the same Debian 13 by its digest, and from images that are named by a version", () => {
    expect(argument("DEBIAN")).toMatch(/^debian:trixie-\d{8}-slim@sha256:[0-9a-f]{64}$/);
    expect(argument("GO")).toMatch(/^golang:1\.\d+-trixie$/);
    expect(stages.map(({ from }) => from)).toEqual(["${GO}", "${OPENBAO}", "${DEBIAN}", "${DEBIAN}"]);
  });

  it("takes the OpenBao that the stacks run", () => {
    expect(argument("OPENBAO")).toBe(`openbao/openbao:${given.versions.vault}`);
  });

  it("runs as the account that the pods name, with `dr` first", () => {
    expect(last.find(({ keyword }) => keyword === "USER")?.words).toEqual([`${imageUser}:${imageUser}`]);
    expect(text("image/root")).toMatch(new RegExp(`^user=${imageUser} `, "m"));
    expect(last.at(-1)).toEqual({ keyword: "ENTRYPOINT", words: [`["dr"]`] });
  });

  it("copies from stages that came before, and from the checkout what is there and what .dockerignore lets in", () => {
    const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(ignored[0]).toBe("*");
    const wrong = stages.flatMap(({ instructions }, index) =>
      instructions.filter(({ keyword }) => keyword === "COPY").flatMap(({ words }) => {
        const stage = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
        const paths = words.filter((word) => !word.startsWith("--")).slice(0, -1);
        if (stage !== undefined) return stages.slice(0, index).some(({ name }) => name === stage) ? [] : [`no stage ${stage}`];
        return paths.filter((path) => path !== "." && !(existsSync(join(root, path)) && allowed.some((one) => path === one || path.startsWith(`${one}/`))));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("lets in what the image is made of, and what makes it", () => {
    const makes = [".npmrc", "image", "package-lock.json", "scripts/log-shipper"];
    expect(ignored.slice(1)).toEqual([...linesOf(text("image/files")), ...makes].map((path) => `!${path}`).toSorted());
  });

  it("has no shell of its own beyond calling what builds it, so that `tree` builds the same", () => {
    const calls = dockerfile.filter(({ keyword }) => keyword === "RUN").map(({ words }) => basename(words[0] ?? ""));
    expect(calls).toEqual(["log-shipper", "apt-get", "npm", "application", "root"]);
    for (const script of ["root", "application"]) expect(text("image/tree")).toContain(`/${script}"`);
  });
});
