/** Names are camelCase; kebab-case is accepted everywhere a name is read. */

export function camel(name: string): string {
  return name.replace(/-+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function kebab(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
