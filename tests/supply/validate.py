"""Validates CycloneDX documents, strictly, by the reference library.

usage: validate.py FILE...

Prints one line for each document: what it is about, and how many components it has. Ends with 1 when there
was an error, which it prints.
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(files):
    failed = False
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for file in files:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
        error = validator.validate_str(text)
        if error is not None:
            failed = True
            print(f"{file}: {error}")
            continue
        document = json.loads(text)
        print(document["metadata"]["component"]["name"], len(document["components"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
