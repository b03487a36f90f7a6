// Jest's resolver is a native addon whose Windows binaries are not in every registry. Under Wine this stands in for it:
// the tests are plain CommonJS by then, which Node itself can resolve.
const { createRequire } = require('node:module');
const { join } = require('node:path');

class ResolverFactory {
  cloneWithOptions() {
    return this;
  }

  clearCache() {}

  sync(directory, request) {
    try {
      return { path: createRequire(join(directory, 'from.js')).resolve(request) };
    } catch (error) {
      return { error: error.message };
    }
  }

  async async(directory, request) {
    return this.sync(directory, request);
  }
}

exports.ResolverFactory = ResolverFactory;
