"""`python -m medcls`: the `medcls` command where its script is not on the path."""

import sys

from medcls.cli.main import main

sys.exit(main())
