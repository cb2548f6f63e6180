/* duckdb-probe LIBRARY VERSION: succeeds if the library loads, reports this version, and reads JSON by itself. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
    void *library, *database = NULL, *connection = NULL;
    const char *(*version)(void);
    int (*open)(const char *, void **), (*connect)(void *, void **), (*query)(void *, const char *, void *);

    if (count != 3) return 2;
    library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    *(void **)&version = dlsym(library, "duckdb_library_version");
    *(void **)&open = dlsym(library, "duckdb_open");
    *(void **)&connect = dlsym(library, "duckdb_connect");
    *(void **)&query = dlsym(library, "duckdb_query");
    if (!version || !open || !connect || !query) return fprintf(stderr, "it is no DuckDB\n"), 1;
    if (strcmp(version(), arguments[2])) return fprintf(stderr, "it is %s\n", version()), 1;
    if (open(NULL, &database) || connect(database, &connection)) return fprintf(stderr, "it does not open\n"), 1;
    if (query(connection, "SET autoinstall_known_extensions = false", NULL) ||
        query(connection, "SELECT json_valid('{}'), '{}'::JSON", NULL))
        return fprintf(stderr, "it has no JSON\n"), 1;
    return 0;
}
