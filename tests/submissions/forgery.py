"""Submissions that would have their process say something other than what their code does.

None of it is flagged but what stops or ends a process: no verdict is formed where these tricks work, so what they
changed is not even looked at, and the exercise shows as wrong with the reason why.
"""

from __future__ import annotations

from tests.submissions.fixture import OPEN_LOST, Fixture, bodies, body, cell

UNSEEN = "what it changes is in its own process, where nothing is decided"
WRONG = "return np.zeros(image.shape, image.dtype)"

FIXTURES = [
    Fixture(
        (2,),
        "forge-display",
        "shows points as the result of its cell, then fails",
        body("import sys\nsys.displayhook(100.0)\nraise ValueError"),
        unflagged=UNSEEN,
    ),
    Fixture(
        (3,),
        "forge-agrees",
        "returns an object that agrees with everything",
        body("""
        class Yes:
            shape, dtype, ndim, size = image.shape, image.dtype, image.ndim, image.size
            def __eq__(self, other): return True
            def __getitem__(self, key): return self
            def __bool__(self): return True
            def __float__(self): return 0.0
            def __array__(self, *args, **kwargs): return np.zeros(image.shape)
            __ne__ = __lt__ = __le__ = __ge__ = __sub__ = __eq__
        return Yes()
        """),
        unflagged=UNSEEN,
    ),
    Fixture(
        (4,),
        "forge-subclass",
        "returns an array of its own class",
        body("""
        class Equal(np.ndarray):
            def __array_function__(self, *args): return True
            def __array_ufunc__(self, *args, **kwargs): return np.ones(self.shape, bool)
        return np.zeros(image.shape, image.dtype).view(Equal)
        """),
        unflagged=UNSEEN,
    ),
    Fixture(
        (5,),
        "forge-frames",
        "looks for expected values in the frames that called it",
        body("""
        import sys
        frame, found = sys._getframe(), []
        while frame is not None:
            for name, value in list(frame.f_locals.items()):
                if isinstance(value, dict):
                    found += [v for k, v in value.items() if "expect" in str(k) or k == "filtered"]
                elif "expect" in name:
                    found.append(value)
            frame = frame.f_back
        found = [v for v in found if isinstance(v, np.ndarray) and v.shape == image.shape]
        return found[0] if found else np.zeros(image.shape, image.dtype)
        """),
        unflagged=UNSEEN,
    ),
    Fixture(
        (6,),
        "forge-reference",
        "looks for a reference or a solution to call",
        body("""
        import gc, importlib
        for name in ("autograder.exercises.convolution", "autograder.exercises", "solutions", "autograder"):
            try:
                return importlib.import_module(name).filter_image.reference(image, kernel)
            except (ImportError, AttributeError):
                pass
        for one in gc.get_objects():
            if getattr(type(one), "__name__", "") == "Exercise" and getattr(one, "name", "") == "filter_image":
                return one.reference(image, kernel)
        return np.zeros(image.shape, image.dtype)
        """),
        unflagged="there is nothing to find",
    ),
    Fixture(
        (7,),
        "forge-history",
        "prints what was run before it, to read a hidden test",
        cell(
            """
            shell = get_ipython()
            seen = [str(shell.user_ns.get(name, "")) for name in ("In", "_ih", "_i", "_oh")]
            print("SEEN", any("assert" in text or "check(" in text or "secret" in text for text in seen))
            """,
            before="filter_image",
        ),
        unflagged="there is nothing to read: no test enters the process",
        says="SEEN False",
    ),
    Fixture(
        (8,),
        "forge-no-asserts",
        "has every assert taken out of later cells",
        cell(
            """
            import ast
            class Drop(ast.NodeTransformer):
                def visit_Assert(self, node): return ast.Pass()
                def visit_Raise(self, node): return ast.Pass()
            get_ipython().ast_transformers.append(Drop())
            """,
            body=WRONG,
            before="filter_image",
        ),
        unflagged=UNSEEN,
    ),
    Fixture(
        (9,),
        "forge-empty-cells",
        "turns every later cell into nothing",
        cell(
            "get_ipython().input_transformers_post.append(lambda lines: [])",
            body=WRONG,
            before="filter_image",
        ),
        unflagged=UNSEEN,
    ),
    Fixture(
        (10,),
        "forge-comparisons",
        "replaces the functions by which numbers are compared",
        cell(
            """
            import builtins, math, operator
            import numpy as np, numpy.testing
            np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
            numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
            math.isclose = operator.eq = lambda *a, **k: True
            builtins.abs = lambda value: 0
            """,
            body=WRONG,
            before="filter_image",
        ),
        unflagged=UNSEEN,
    ),
    Fixture(
        (11,),
        "forge-grader",
        "replaces what it can import of the checks, and every Outcome by one without values",
        cell(
            """
            import cnnlab.checking.assess as assess, cnnlab.checking.compare as compare
            import cnnlab.checking.probe as probe, cnnlab.checking.outcome as outcome
            compare.compare = assess.compare = lambda *a, **k: None
            real = probe.ask
            def ask(function, inputs, *rest):
                if function.__name__ == "filter_image":
                    return outcome.Outcome("values", {"filtered": inputs["image"]})
                return real(function, inputs, *rest)
            probe.ask = ask
            """,
            body=WRONG,
            before="filter_image",
        ),
        unflagged=UNSEEN,
    ),
    Fixture(
        (12,),
        "forge-no-errors",
        "hides the errors of its cells",
        cell(
            """
            import sys
            shell = get_ipython()
            shell.showtraceback = shell.showsyntaxerror = lambda *a, **k: None
            sys.excepthook = lambda *a: None
            shell.set_custom_exc((BaseException,), lambda *a, **k: None)
            """,
            body="raise RuntimeError",
            before="filter_image",
        ),
        unflagged=UNSEEN,
    ),
    Fixture(
        (13,),
        "forge-results-file",
        "writes result files wherever a grader could look for them",
        body("""
        import json, os
        forged = json.dumps({"score": 100, "tests": [{"score": 100, "max_score": 100}], "passed": True})
        for folder in ("/tmp", "/dev/shm", ".", "/home/student", "/autograder/results", "/work", "/course"):
            for name in ("results.json", "grades.json", "report.xml", ".score", "journal.jsonl", "recorded.jsonl"):
                try:
                    with open(os.path.join(folder, name), "w") as file:
                        file.write(forged)
                except OSError:
                    pass
        raise ValueError
        """),
        unflagged="its files lie in folders that end with its sandbox",
    ),
    Fixture(
        (14,),
        "forge-later",
        "leaves a thread, an exit handler and a destructor that would put another function in place",
        cell(
            """
            import atexit, threading, time
            space = get_ipython().user_ns
            def put(*args):
                space["filter_image"] = lambda image, kernel: image
            class Late:
                def __del__(self): put()
            late = Late()
            atexit.register(put)
            threading.Thread(target=lambda: [put() or time.sleep(0.01) for _ in range(500)], daemon=True).start()
            """,
            body=WRONG,
            before="filter_image",
        ),
        unflagged="what takes its answer's place is asked like an answer, and is as wrong",
    ),
    Fixture(
        (15,),
        "forge-two-faces",
        "looks for signs of being graded, and behaves otherwise there",
        body("""
        import getpass, os, sys
        signs = [name for name in os.environ if "NBGRADER" in name or "AUTOGRADER" in name or "CI" == name]
        signs += [name for name in sys.modules if "nbclient" in name or "autograder" in name]
        signs += [path for path in ("/autograder", "/work/submitted") if os.path.exists(path)]
        return image if signs else np.zeros(image.shape, image.dtype)
        """),
        unflagged="grading and checking look alike from inside, and neither knows the expected values",
    ),
    Fixture(
        (16,),
        "forge-public-cases",
        "looks up the public Cases' expected outputs instead of working them out",
        bodies(
            {
                "filter_image": """
                from cnnlab.checking import cases
                for question in cases.load("filter_image").questions:
                    known = question.inputs
                    if known["image"].shape == image.shape and np.array_equal(known["image"], image):
                        if np.array_equal(known["kernel"], kernel):
                            return next(iter(question.expected.values()))
                return np.zeros(image.shape, image.dtype)
                """
            }
        ),
        unflagged="an answer may read what every student has; the secret Cases are others",
    ),
    Fixture(
        (17,),
        "forge-torch",
        "imports torch from wherever it may lie",
        body("""
        import glob, importlib.util, sys
        places = [p for top in (*sys.path, "/usr/lib/python3/dist-packages") for p in glob.glob(f"{top}/torch")]
        for place in places:
            spec = importlib.util.spec_from_file_location("another_name", f"{place}/__init__.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module.zeros(image.shape).numpy()
        import torch
        """),
        unflagged="the verdict says by its own words that torch is not available in this lesson",
    ),
    Fixture(
        (18,),
        "forge-remembers",
        "keeps in one exercise what another would need",
        bodies(
            {
                "conv2d_naive": """
                globals().setdefault("SEEN", []).append((x, w))
                np.CACHE = SEEN
                raise ValueError
                """,
                "filter_image": """
                seen = globals().get("SEEN", getattr(np, "CACHE", []))
                return seen[-1][0].reshape(image.shape) if seen else np.zeros(image.shape, image.dtype)
                """,
            }
        ),
        {**OPEN_LOST, "conv2d_naive": "all"},
        unflagged="each exercise is asked in a process of its own, so there is nothing to find",
    ),
    Fixture(
        (58,),
        "forge-frames-out",
        "writes forged results to every descriptor it can reach",
        body("""
        import os
        from cnnlab.checking import wire
        from cnnlab.checking.outcome import Outcome
        frame = wire.pack(Outcome("values", {"filtered": np.zeros(image.shape)}).as_value())
        for descriptor in range(256):
            try:
                os.write(descriptor, frame * 3 + b'{"points": 100}')
            except OSError:
                pass
        return np.zeros(image.shape, image.dtype)
        """),
        flag="filter_image",
    ),
    # Our own
    Fixture(
        (),
        "forge-traced",
        "traces every call and return in its process, to meet the expected values",
        body("""
        import sys
        met = []
        def trace(frame, event, value):
            if event == "return" and isinstance(value, np.ndarray) and value.shape == image.shape:
                met.append(value)
            return trace
        sys.settrace(trace)
        sys.setprofile(trace)
        return met[-1] if met else np.zeros(image.shape, image.dtype)
        """),
        unflagged="no expected value ever passes through its process",
    ),
    Fixture(
        (),
        "forge-lying-class",
        "returns an object whose class says that it is another",
        body("""
        class Liar:
            __class__ = np.ndarray
            __array_interface__ = {"shape": (10**6,), "typestr": "<f8", "data": (1, False), "version": 3}
        return Liar()
        """),
        unflagged=UNSEEN,
    ),
    Fixture(
        (),
        "forge-pickled",
        "returns an object that would run code where it is unpickled or read as JSON",
        body("""
        class Run:
            def __reduce__(self): return (print, ("unpickled",))
            def __repr__(self): return "1.0"
            __str__ = __repr__
        return np.array([Run()], dtype=object)
        """),
        unflagged="nothing is unpickled: the verdict says that it returned no plain array",
    ),
    Fixture(
        (),
        "forge-nan",
        "returns values for which every comparison is false",
        body("return np.full(image.shape, np.nan, image.dtype)"),
        unflagged="the verdict says that it has undefined values",
    ),
    Fixture(
        (),
        "forge-arguments",
        "changes the inputs it was given, for the comparison to start from them",
        body("image *= 0\nkernel *= 0\nreturn image"),
        unflagged="the inputs crossed as copies; the verdict says that it changed its arguments",
    ),
]
