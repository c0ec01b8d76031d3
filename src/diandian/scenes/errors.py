"""What can be wrong with a scene, in words for guests and hosts."""

from diandian.kernel.errors import N_, ConflictError, InputError, NotFoundError


class SceneNotFoundError(NotFoundError):
    """No scene of this name."""

    code = "scene_not_found"
    message = N_(
        "There is no scene by that name. Please check the poster, or search for the scene."
    )


class SceneNotPublishedError(NotFoundError):
    """A draft, or a scene that was withdrawn; the two are not told apart."""

    code = "scene_not_published"
    message = N_(
        "This scene is not published. Nothing can be counted here. Please search for another one."
    )


class SceneSlugError(InputError):
    """An address that cannot be read aloud."""

    code = "scene_slug"
    message = N_(
        "The address takes a-z, 0-9 and dashes, at most 40."
        " The scene was not saved. Please correct it."
    )


class SceneWordsError(InputError):
    """A text that no guest could read."""

    code = "scene_words"
    message = N_(
        "This text is missing, or longer than %(limit)s characters. The scene was not saved."
        " Please write it in one language at least."
    )


class SceneDatesError(InputError):
    """An end before the start."""

    code = "scene_dates"
    message = N_("The scene ends before it starts. It was not saved. Please correct the dates.")


class SceneAmountError(InputError):
    """An amount below zero."""

    code = "scene_amount"
    message = N_("An amount is below zero. Nothing was saved. Please correct it.")


class SceneChoiceError(InputError):
    """A kind, city, factor set or owner that does not exist."""

    code = "scene_choice"
    message = N_("“%(given)s” is not one of the choices. Nothing was saved. Please choose again.")


class SceneExistsError(ConflictError):
    """Two scenes cannot share one address."""

    code = "scene_exists"
    message = N_(
        "There is already a scene at “%(slug)s”. Nothing was saved. Please choose another address."
    )


class SceneStateError(ConflictError):
    """A draft is published once; a withdrawn scene stays withdrawn."""

    code = "scene_state"
    message = N_("As the scene stands now, this cannot be done. Nothing was changed.")


class SceneDescribedError(ConflictError):
    """Only a draft is changed; what guests may have seen stays as it was."""

    code = "scene_described"
    message = N_(
        "This scene is no longer a draft, so it cannot be changed. Nothing was saved. While it"
        " waits for approval you can take it back."
    )


class ScenePostersError(ConflictError):
    """So many placements that nobody compares them any more."""

    code = "scene_posters"
    message = N_("A scene has at most %(limit)s posters. No further one was added.")


class ScenePosterLabelError(InputError):
    """A placement needs a word by which its host knows it."""

    code = "scene_poster_label"
    message = N_("Please say in at most 80 characters where this poster hangs. It was not added.")


class SceneMovedError(ConflictError):
    """What is decided on is what was read."""

    code = "scene_moved"
    message = N_(
        "The scene was changed after you opened this page. Nothing was decided. Please read it"
        " again and decide then."
    )


class CorrectionWaitsError(ConflictError):
    """One correction at a time."""

    code = "correction_waits"
    message = N_(
        "A correction of this scene waits for the operator already. Nothing was saved. Please wait"
        " for the answer, or take that one back first."
    )


class NothingCorrectedError(InputError):
    """A correction that says what stands there."""

    code = "nothing_corrected"
    message = N_(
        "This is what the scene says already, so there is nothing to correct. Nothing was saved."
        " Please change something first."
    )


class CorrectionPlaceError(InputError):
    """The host's own questions rest on factors of the place."""

    code = "correction_place"
    message = N_(
        "For the questions that you composed there are no factors at that place. Nothing was saved."
        " Please keep the place, or open a new scene there."
    )


class CorrectionGoneError(ConflictError):
    """A correction that was decided on, or taken back."""

    code = "correction_gone"
    message = N_(
        "This correction is no longer waiting. Nothing was changed. Please look at the scene again."
    )


class CorrectionApartError(InputError):
    """A scene and the house that counts for it stay together."""

    code = "correction_apart"
    message = N_(
        "“%(scene)s” counts a part of this scene, or this one of it, and they would no longer be in"
        " the same city on the same days. Nothing was changed. Please take that statement back"
        " first, or keep place and days."
    )
